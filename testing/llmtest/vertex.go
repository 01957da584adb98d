// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/json"
	"strings"
)

// Embeddings of Gemini's API, and Vertex AI's predictions: embeddings and images.

var (
	embedContentKind = &kind{
		api: APIEmbedContent, dialect: google, read: readEmbedContent, plain: (*reply).embedContent,
	}
	batchEmbedContentsKind = &kind{
		api: APIEmbedContent, dialect: google, read: readBatchEmbedContents, plain: (*reply).embedContent,
	}
	predictKind = &kind{api: APIPredict, dialect: google, read: readPredict, plain: (*reply).predictions}
)

type embedContentRequest struct {
	Content    googleContent `json:"content"`
	Dimensions *int          `json:"outputDimensionality"`
}

func readEmbedContent(c *call, in incoming) *Error {
	var q embedContentRequest
	if bad := c.readGoogle(in, &q); bad != nil {
		return bad
	}
	c.asked = texts(q.Content.text())
	return c.resizeGoogle(q.Dimensions)
}

func readBatchEmbedContents(c *call, in incoming) *Error {
	var q struct {
		Requests []embedContentRequest `json:"requests"`
	}
	if bad := c.readGoogle(in, &q); bad != nil {
		return bad
	}
	if len(q.Requests) == 0 {
		return googleBad("* BatchEmbedContentsRequest.requests: requests is not specified\n")
	}
	c.batch = true
	for _, one := range q.Requests {
		c.asked = append(c.asked, item{text: one.Content.text()})
	}
	return c.resizeGoogle(q.Requests[0].Dimensions)
}

// resizeGoogle notes how long vectors are to be.
func (c *call) resizeGoogle(dimensions *int) *Error {
	if !c.resize(dimensions) {
		return googleBad("outputDimensionality is out of range")
	}
	return nil
}

// embedContent is one vector or a list of them. The oldest model says nothing of tokens.
func (r *reply) embedContent() (content, error) {
	var list []object
	for _, v := range r.vectors() {
		list = append(list, object{{"values", v}})
	}
	doc := object{{"embedding", list[0]}}
	if r.call.batch {
		doc = object{{"embeddings", list}}
	}
	u := r.counts(0)
	if u == nil || (r.answer.Usage == nil && r.call.model == "gemini-embedding-001") {
		return r.jsonContent(doc)
	}
	usage, err := u.write(object{
		{"promptTokenCount", u.PromptTokens}, {"promptTokenDetails", r.call.modality(u.PromptTokens)},
	})
	if err != nil {
		return content{}, err
	}
	return r.jsonContent(append(doc, member{"usageMetadata", usage}))
}

// readPredict reads a request for predictions: of embeddings, or of images if an instance has a prompt.
func readPredict(c *call, in incoming) *Error {
	var q struct {
		Instances []struct {
			Content string  `json:"content"`
			Prompt  *string `json:"prompt"`
		} `json:"instances"`
		Parameters struct {
			SampleCount int  `json:"sampleCount"`
			Dimensions  *int `json:"outputDimensionality"`
		} `json:"parameters"`
	}
	if bad := c.readGoogle(in, &q); bad != nil {
		return bad
	}
	if len(q.Instances) == 0 {
		return googleBad("Invalid instances: instances is not specified")
	}
	for _, one := range q.Instances {
		text := one.Content
		if one.Prompt != nil {
			text, c.format = *one.Prompt, imageFormat
		}
		c.asked = append(c.asked, item{text: text})
	}
	if c.n = max(q.Parameters.SampleCount, 1); c.n > maxChoices {
		return googleBad("sampleCount is out of range")
	}
	return c.resizeGoogle(q.Parameters.Dimensions)
}

// imageFormat is what a prediction of images has as its format.
const imageFormat = "image/png"

// predictions are images, or vectors with the tokens of each input.
func (r *reply) predictions() (content, error) {
	var list []object
	if r.call.format == imageFormat {
		for _, i := range r.pictures() {
			list = append(list, object{{"mimeType", imageFormat}, {"bytesBase64Encoded", i.base64()}})
		}
		return r.jsonContent(object{{"predictions", list}})
	}
	var characters int64
	for i, v := range r.vectors() {
		in := r.call.asked[i]
		characters += int64(len(strings.ReplaceAll(in.text, " ", "")))
		embeddings := object{{"values", v}}
		if statistics, err := r.statistics(i, in); err != nil {
			return content{}, err
		} else if statistics != nil {
			embeddings = append(embeddings, member{"statistics", statistics})
		}
		list = append(list, object{{"embeddings", embeddings}})
	}
	return r.jsonContent(object{{"predictions", list}, {"metadata", object{{"billableCharacterCount", characters}}}})
}

// statistics are the tokens of an input; a scripted usage is that of all inputs, and is told with the first.
func (r *reply) statistics(i int, in item) (json.RawMessage, error) {
	u := r.counts(0)
	if u == nil {
		return nil, nil
	}
	n := in.count()
	switch {
	case r.answer.Usage != nil && i == 0:
		n = u.PromptTokens
	case r.answer.Usage != nil:
		n = 0
	}
	return u.write(object{{"token_count", n}, {"truncated", false}})
}
