// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// Where the content of requests and answers is, by format. It is read only where
// capture is on.

// text is a place of a text, as a string or as an array of parts with one each.
func text(path string, f field) []want {
	return []want{
		{path: path, field: f, pieces: true},
		{path: path + "[].text", field: f, pieces: true},
	}
}

// openAIMessage are the members of a message in OpenAI's shape.
var openAIMessage = []want{
	{path: "role", field: txtRole},
	{path: "content", field: txtText, pieces: true},
	{path: "content[]", field: txtPart},
	{path: "content[].text", field: txtText, pieces: true},
	{path: "refusal", field: txtText, pieces: true},
	{path: "reasoning_content", field: txtReasoning, pieces: true},
	{path: "reasoning", field: txtReasoning, pieces: true},
	{path: "thinking", field: txtReasoning, pieces: true},
	{path: "tool_call_id", field: txtResultOf},
	{path: "function_call", field: txtCall},
	{path: "function_call.name", field: txtCallName},
	{path: "function_call.arguments", field: txtCallArguments, pieces: true},
	openAICalls[0], openAICalls[1], openAICalls[2], openAICalls[3], openAICalls[4],
}

// openAICalls are the calls of tools in it.
var openAICalls = [...]want{
	{path: "tool_calls[]", field: txtCall},
	{path: "tool_calls[].index", field: txtCallIndex},
	{path: "tool_calls[].id", field: txtCallID},
	{path: "tool_calls[].function.name", field: txtCallName},
	{path: "tool_calls[].function.arguments", field: txtCallArguments, pieces: true},
}

// anthropicMessage are the members of a message in Anthropic's shape.
var anthropicMessage = append([]want{
	{path: "role", field: txtRole},
	{path: "content", field: txtText, pieces: true},
	{path: "content[].tool_use_id", field: txtResultOf},
	{path: "content[].content", field: txtResult, pieces: true},
	{path: "content[].content[].text", field: txtResult, pieces: true},
}, anthropicBlocks...)

// anthropicBlocks are the blocks of a message that models make, too.
var anthropicBlocks = []want{
	{path: "content[]", field: txtPart},
	{path: "content[].text", field: txtText, pieces: true},
	{path: "content[].thinking", field: txtReasoning, pieces: true},
	{path: "content[].id", field: txtCallID},
	{path: "content[].name", field: txtCallName},
	{path: "content[].input", field: txtCallArguments, pieces: true},
}

// geminiParts are the members of a part in Gemini's shape.
var geminiParts = []want{
	{path: "text", field: txtText, pieces: true},
	{path: "thought", field: txtThought},
	{path: "functionCall.id", field: txtCallID},
	{path: "functionCall.name", field: txtCallName},
	{path: "functionCall.args", field: txtCallArguments, pieces: true},
	{path: "functionResponse.name", field: txtResultOf},
	{path: "functionResponse.response", field: txtResult, pieces: true},
}

// converseContent are the members of a block in the shape of Bedrock's Converse.
var converseContent = []want{
	{path: "text", field: txtText, pieces: true},
	{path: "reasoningContent.reasoningText.text", field: txtReasoning, pieces: true},
	{path: "toolUse.toolUseId", field: txtCallID},
	{path: "toolUse.name", field: txtCallName},
	{path: "toolUse.input", field: txtCallArguments, pieces: true},
	{path: "toolResult.toolUseId", field: txtResultOf},
	{path: "toolResult.content[].text", field: txtResult, pieces: true},
	{path: "toolResult.content[].json", field: txtResult, pieces: true},
}

// responseItem are the members of an item of a response.
var responseItem = []want{
	{path: "role", field: txtRole},
	{path: "content", field: txtText, pieces: true},
	{path: "content[]", field: txtPart},
	{path: "content[].text", field: txtText, pieces: true},
	{path: "summary[].text", field: txtReasoning, pieces: true},
	{path: "call_id", field: txtCallID},
	{path: "name", field: txtCallName},
	{path: "arguments", field: txtCallArguments, pieces: true},
	{path: "output", field: txtResult, pieces: true},
}

// Requests. A prompt that is no message comes behind all that are.
var (
	promptContent = newTree([]want{
		{path: "prompt", field: txtPrompt, pieces: true},
		{path: "input", field: txtPrompt, pieces: true},
		{path: "instances[].prompt", field: txtPrompt, pieces: true},
	})
	openAIRequestContent = newTree(
		[]want{
			{path: "messages[]", field: txtMessage},
			{path: "prompt", field: txtPrompt, pieces: true},
			{path: "prompt[]", field: txtPrompt, pieces: true},
		},
		under("messages[]", openAIMessage),
	)
	responsesRequestContent = newTree(
		[]want{
			{path: "instructions", field: txtSystem, pieces: true},
			{path: "input", field: txtPrompt, pieces: true},
			{path: "input[]", field: txtMessage},
		},
		under("input[]", responseItem),
	)
	anthropicRequestContent = newTree(
		text("system", txtSystem),
		[]want{{path: "messages[]", field: txtMessage}, {path: "prompt", field: txtPrompt, pieces: true}},
		under("messages[]", anthropicMessage),
	)
	geminiRequestContent = newTree(
		[]want{
			{path: "systemInstruction.parts[].text", field: txtSystem, pieces: true},
			{path: "system_instruction.parts[].text", field: txtSystem, pieces: true},
			{path: "contents[]", field: txtMessage},
			{path: "contents[].role", field: txtRole},
			{path: "contents[].parts[]", field: txtPart},
		},
		under("contents[].parts[]", geminiParts),
	)
	converseRequestContent = newTree(
		[]want{
			{path: "system[].text", field: txtSystem, pieces: true},
			{path: "messages[]", field: txtMessage},
			{path: "messages[].role", field: txtRole},
			{path: "messages[].content[]", field: txtPart},
		},
		under("messages[].content[]", converseContent),
	)
	invokeRequestContent = newTree(
		text("system", txtSystem),
		[]want{
			{path: "inputText", field: txtPrompt, pieces: true},
			{path: "prompt", field: txtPrompt, pieces: true},
			{path: "message", field: txtPrompt, pieces: true},
			{path: "textToImageParams.text", field: txtPrompt, pieces: true},
			{path: "messages[]", field: txtMessage},
		},
		under("messages[]", anthropicMessage),
	)
	cohereRequestContent = newTree(
		[]want{
			{path: "preamble", field: txtSystem, pieces: true},
			{path: "chat_history[]", field: txtMessage},
			{path: "chat_history[].role", field: txtRole},
			{path: "chat_history[].message", field: txtText, pieces: true},
			{path: "message", field: txtPrompt, pieces: true},
			{path: "prompt", field: txtPrompt, pieces: true},
			{path: "query", field: txtPrompt, pieces: true},
			{path: "messages[]", field: txtMessage},
		},
		under("messages[]", openAIMessage),
	)
	ollamaRequestContent = newTree(
		[]want{
			{path: "system", field: txtSystem, pieces: true},
			{path: "prompt", field: txtPrompt, pieces: true},
			{path: "messages[]", field: txtMessage},
		},
		under("messages[]", openAIMessage),
	)
)

// Answers.
var (
	openAIReplyContent = newTree(
		[]want{
			{path: "choices[]", field: txtChoice},
			{path: "choices[].index", field: txtIndex},
			{path: "choices[].text", field: txtText, pieces: true},
		},
		under("choices[].message", openAIMessage), under("choices[].delta", openAIMessage),
	)
	responsesReplyContent  = newTree(responseOutput, under("response", responseOutput))
	anthropicReplyContent  = newTree(anthropicOutput)
	transcriptReplyContent = newTree([]want{{path: "text", field: txtText, pieces: true}})
	geminiReplyContent     = newTree(
		[]want{
			{path: "candidates[]", field: txtChoice},
			{path: "candidates[].index", field: txtIndex},
			{path: "candidates[].content.parts[]", field: txtPart},
		},
		under("candidates[].content.parts[]", geminiParts),
	)
	converseReplyContent = newTree(
		[]want{
			{path: "output.message.content[]", field: txtPart},
			{path: "contentBlockIndex", field: txtBlock},
			{path: "delta.text", field: txtText, pieces: true},
			{path: "delta.reasoningContent.text", field: txtReasoning, pieces: true},
			{path: "start.toolUse.toolUseId", field: txtCallID},
			{path: "start.toolUse.name", field: txtCallName},
			{path: "delta.toolUse.input", field: txtCallArguments, pieces: true},
		},
		under("output.message.content[]", converseContent),
	)
	invokeReplyContent = newTree(anthropicOutput, []want{
		{path: "results[]", field: txtChoice},
		{path: "results[].outputText", field: txtText, pieces: true},
		{path: "outputText", field: txtText, pieces: true},
		{path: "generation", field: txtText, pieces: true},
		{path: "outputs[]", field: txtChoice},
		{path: "outputs[].text", field: txtText, pieces: true},
		{path: "generations[]", field: txtChoice},
		{path: "generations[].text", field: txtText, pieces: true},
		{path: "text", field: txtText, pieces: true},
		{path: "contentBlockDelta.contentBlockIndex", field: txtBlock},
		{path: "contentBlockDelta.delta.text", field: txtText, pieces: true},
		{path: "output.message.content[]", field: txtPart},
		{path: "choices[]", field: txtChoice},
		{path: "choices[].index", field: txtIndex},
	}, under("choices[].message", openAIMessage), under("choices[].delta", openAIMessage), under("output.message.content[]", converseContent))
	cohereReplyContent = newTree(
		[]want{
			{path: "text", field: txtText, pieces: true},
			{path: "generations[]", field: txtChoice},
			{path: "generations[].text", field: txtText, pieces: true},
			{path: "message.content[]", field: txtPart},
			{path: "message.content[].text", field: txtText, pieces: true},
			{path: "message.content[].thinking", field: txtReasoning, pieces: true},
			{path: "delta.message.content.text", field: txtText, pieces: true},
			{path: "delta.message.content.thinking", field: txtReasoning, pieces: true},
			{path: "delta.message.tool_calls.id", field: txtCallID},
			{path: "delta.message.tool_calls.function.name", field: txtCallName},
			{path: "delta.message.tool_calls.function.arguments", field: txtCallArguments, pieces: true},
			{path: "index", field: txtBlock},
		},
		under("message", openAICalls[:]),
	)
	ollamaReplyContent = newTree(
		[]want{
			{path: "response", field: txtText, pieces: true},
			{path: "thinking", field: txtReasoning, pieces: true},
		},
		under("message", openAIMessage),
	)
)

// responseOutput are the members of an item of the answer, which are all of one
// message.
var responseOutput = []want{
	{path: "output[]", field: txtPart},
	{path: "output[].content[].text", field: txtText, pieces: true},
	{path: "output[].summary[].text", field: txtReasoning, pieces: true},
	{path: "output[].call_id", field: txtCallID},
	{path: "output[].name", field: txtCallName},
	{path: "output[].arguments", field: txtCallArguments, pieces: true},
}

// anthropicOutput are the members of a message and of the events of one.
var anthropicOutput = append([]want{
	{path: "index", field: txtBlock},
	{path: "content_block.id", field: txtCallID},
	{path: "content_block.name", field: txtCallName},
	{path: "delta.text", field: txtText, pieces: true},
	{path: "delta.thinking", field: txtReasoning, pieces: true},
	{path: "delta.partial_json", field: txtCallArguments, pieces: true},
	{path: "completion", field: txtText, pieces: true},
}, anthropicBlocks...)
