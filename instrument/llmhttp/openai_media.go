// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// imagesRequest is the format of requests for images, JSON or a form.
var imagesRequest = &requestTable{content: promptContent, wanted: newTree([]want{
	{path: "model", field: reqModel},
	{path: "stream", field: reqStream},
	{path: "n", field: reqChoices},
	{path: "size", field: reqSize},
	{path: "quality", field: reqQuality},
	{path: "style", field: reqStyle},
	{path: "response_format", field: reqFormat},
	{path: "prompt", field: reqInput, presence: true},
	{path: "image", field: reqSourceImage, presence: true},
	{path: "images", field: reqSourceImage, presence: true},
})}

// imagesReply is the format of images, whole or in events.
var imagesReply = &replyTable{
	tokens: openAITokens,
	kinds: map[string]kind{
		"image_generation.completed": kindImage, "image_edit.completed": kindImage, "error": kindError,
	},
	wanted: newTree([]want{
		{path: "type", field: rspKind},
		{path: "model", field: rspModel}, // xAI
		{path: "data", field: rspImages},
		{path: "data[]"},
		{path: "b64_json", field: rspContent, presence: true},
		{path: "size", field: rspSize},
		{path: "quality", field: rspQuality},
		{path: "usage", field: rspUsage, closed: true},
	}, mediaErrors, under("usage", responsesUsage), known("usage", openAIKnownUsage...)),
}

// mediaErrors are the places of errors where "type" is the kind of an event.
var mediaErrors = []want{
	{path: "error", field: rspError},
	{path: "error.code", field: rspErrorCode},
	{path: "error.type", field: rspErrorType},
	{path: "code", field: rspRootCode},
}

// transcriptionRequest is the format of requests for transcripts and
// translations of audio: a form.
var transcriptionRequest = &requestTable{wanted: newTree([]want{
	{path: "model", field: reqModel},
	{path: "stream", field: reqStream},
	{path: "language", field: reqLanguage},
	{path: "response_format", field: reqFormat},
	{path: "temperature", field: reqTemperature},
	{path: "file", field: reqInput, presence: true},
	{path: "file_url", field: reqInput, presence: true}, // Mistral
	{path: "url", field: reqInput, presence: true},      // Groq
})}

// transcriptionReply is the format of transcripts, whole or in events. Formats
// other than JSON hold no usage.
var transcriptionReply = &replyTable{
	tokens: transcriptionTokens, content: transcriptReplyContent,
	kinds: map[string]kind{"transcript.text.done": kindDone, "transcription.done": kindDone, "error": kindError},
	wanted: newTree([]want{
		{path: "type", field: rspKind},
		{path: "model", field: rspModel}, // Mistral
		{path: "text", field: rspContent, presence: true},
		{path: "delta", field: rspContent, presence: true},
		{path: "duration", field: rspDuration},
		{path: "language", field: rspLanguage},
		{path: "usage", field: rspUsage, closed: true},
	}, mediaErrors, under("usage", []want{
		{path: "type"},
		{path: "seconds", field: rspSeconds},
		{path: "input_tokens", field: counting(inputTokens)},
		{path: "output_tokens", field: counting(outputTokens)},
		{path: "total_tokens", field: counting(totalTokens)},
		{path: "input_token_details", closed: true},
		{path: "input_token_details.audio_tokens", field: counting(inputAudioTokens)},
		{path: "input_token_details.text_tokens"},
		{path: "prompt_audio_seconds", field: rspSeconds}, // Mistral, and what follows
		{path: "prompt_tokens", field: counting(inputTokens)},
		{path: "completion_tokens", field: counting(outputTokens)},
		{path: "prompt_tokens_details", closed: true},
		{path: "prompt_tokens_details.cached_tokens", field: counting(cacheReadTokens)},
		{path: "prompt_tokens_details.audio_tokens", field: counting(inputAudioTokens)},
		{path: "request_count"},
	})),
}

// transcriptionTokens brings the counts of a transcription into the one model.
func transcriptionTokens(u *usage, q quirks) tokens {
	q.heard = true
	return openAITokens(u, q)
}

// speechRequest is the format of requests for speech.
var speechRequest = &requestTable{content: promptContent, wanted: newTree([]want{
	{path: "model", field: reqModel},
	{path: "stream_format", field: reqStreamFormat},
	{path: "input", field: reqCharacters, pieces: true},
	{path: "voice", field: reqVoice},
	{path: "response_format", field: reqFormat},
	{path: "speed", field: reqSpeed},
	{path: "language", field: reqLanguage},
})}

// speechReply is the format of speech in events. Audio by itself holds no usage.
var speechReply = &replyTable{
	tokens: openAITokens,
	kinds:  map[string]kind{"speech.audio.done": kindDone, "error": kindError},
	wanted: newTree([]want{
		{path: "type", field: rspKind},
		{path: "audio", field: rspContent, presence: true},
		{path: "usage", field: rspUsage, closed: true},
	}, mediaErrors, under("usage", responsesUsage)),
}

// videosRequest is the format of requests for videos, JSON or a form.
var videosRequest = &requestTable{content: promptContent, wanted: newTree([]want{
	{path: "model", field: reqModel},
	{path: "prompt", field: reqInput, presence: true},
	{path: "seconds", field: reqSeconds},
	{path: "duration", field: reqSeconds}, // xAI
	{path: "size", field: reqSize},
	{path: "resolution", field: reqSize}, // xAI
})}

// videosReply is the format of a video and of the promise of one.
var videosReply = &replyTable{
	tokens: openAITokens,
	settle: settleVideo,
	wanted: newTree([]want{
		{path: "id", field: rspID},
		{path: "request_id", field: rspID}, // xAI
		{path: "model", field: rspModel},
		{path: "status", field: rspStatus},
		{path: "seconds", field: rspSeconds},
		{path: "video.duration", field: rspSeconds}, // xAI
		{path: "size", field: rspSize},
		{path: "usage", field: rspUsage, closed: true},
	}, openAIErrors, under("usage", responsesUsage)),
}

// settleVideo takes how far a video is. One that has a length is whole where no
// word is said.
func settleVideo(r *replyReader) {
	d := &r.doc
	switch {
	case d.status != "":
		r.res.status = d.status
	case d.units != nil && d.units.seconds.ok:
		r.res.status = "completed"
	default:
		r.res.status = "queued"
	}
}

// plainRequest and plainReply are the formats of requests of which nothing is
// billed: moderation, counting of tokens, batches.
var (
	plainRequest = &requestTable{wanted: newTree([]want{
		{path: "model", field: reqModel},
		{path: "input", field: reqInput, presence: true},
		{path: "messages", field: reqInput, presence: true},
		{path: "requests", field: reqInput, presence: true},      // of a batch
		{path: "input_file_id", field: reqInput, presence: true}, // of a batch
		{path: "input_files", field: reqInput, presence: true},   // of a batch, Mistral's
		{path: "contents", field: reqInput, presence: true},      // Gemini
	})}
	plainReply = &replyTable{
		tokens: openAITokens,
		wanted: newTree([]want{
			{path: "id", field: rspID},
			{path: "model", field: rspModel},
		}, openAIErrors),
	}
)
