// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

var (
	imagesKind = &kind{
		api: APIImages, dialect: openAI, read: readImages, plain: (*reply).images,
		events: func(r *reply) (stream, error) { return r.imageEvents("image_generation") },
	}
	imageEditsKind = &kind{
		api: APIImages, dialect: openAI, read: readImages, plain: (*reply).images,
		events: func(r *reply) (stream, error) { return r.imageEvents("image_edit") },
	}
)

// tokensPerImage is what an image of low quality takes of gpt-image-1.
const tokensPerImage = 272

// onePixel is a PNG image of one pixel.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// readImages reads a request to make, edit or vary images.
func readImages(c *call, in incoming) *Error {
	f, bad := readForm(in)
	if bad != nil {
		return bad
	}
	if bad := c.name(cmp.Or(f.fields["model"], c.model, "dall-e-2")); bad != nil {
		return bad
	}
	n, err := strconv.Atoi(cmp.Or(f.fields["n"], "1"))
	if err != nil {
		return badRequest("n", "", "Invalid type for 'n'.")
	}
	if bad := c.choose(n); bad != nil {
		return bad
	}
	c.asked = texts(f.fields["prompt"])
	c.stream = f.fields["stream"] == "true"
	c.format, c.size, c.quality = f.fields["response_format"], f.fields["size"], f.fields["quality"]
	return nil
}

// gptImage says that the model is one that is billed by tokens; the others are by the image.
func (c *call) gptImage() bool { return strings.HasPrefix(c.model, "gpt-image-") }

// imageUsage is the usage object of images. Models that are billed by the image have none unless it is scripted.
func (r *reply) imageUsage() (json.RawMessage, error) {
	if r.answer.Usage == nil && !r.call.gptImage() {
		return nil, nil
	}
	u := r.counts(int64(len(r.pictures())) * tokensPerImage)
	if u == nil {
		return nil, nil
	}
	return u.write(object{
		{"input_tokens", u.PromptTokens},
		{"input_tokens_details", object{
			{"image_tokens", u.PromptImageTokens}, {"text_tokens", u.PromptTokens - u.PromptImageTokens},
		}},
		{"output_tokens", u.CompletionTokens},
		{"output_tokens_details", object{{"image_tokens", u.CompletionTokens}, {"text_tokens", 0}}},
		{"total_tokens", u.total()},
	})
}

// pictures are the images of the answer, filled in.
func (r *reply) pictures() []Image {
	if r.answer.Images != nil {
		return r.answer.Images
	}
	return make([]Image, r.call.n)
}

// base64 is the image as it is sent.
func (i Image) base64() string {
	if i.Data == nil {
		return onePixel
	}
	return base64.StdEncoding.EncodeToString(i.Data)
}

func (r *reply) images() (content, error) {
	usage, err := r.imageUsage()
	if err != nil {
		return content{}, err
	}
	data := []object{}
	for n, i := range r.pictures() {
		var o object
		if i.URL != "" || (i.Data == nil && !r.call.gptImage() && r.call.format != "b64_json") {
			o = object{{"url", cmp.Or(i.URL, fmt.Sprintf("https://images.example/%06d-%d.png", r.call.seq, n))}}
		} else {
			o = object{{"b64_json", i.base64()}}
		}
		if i.RevisedPrompt != "" {
			o = append(o, member{"revised_prompt", i.RevisedPrompt})
		}
		data = append(data, o)
	}
	doc := object{{"created", r.created}, {"data", data}}
	if r.call.gptImage() {
		doc = append(doc,
			member{"background", "opaque"},
			member{"output_format", "png"},
			member{"quality", r.imageQuality()},
			member{"size", r.imageSize()},
		)
	}
	if usage != nil {
		doc = append(doc, member{"usage", usage})
	}
	return r.jsonContent(doc)
}

func (r *reply) imageQuality() string {
	if q := r.call.quality; q != "" && q != "auto" {
		return q
	}
	return "low"
}

func (r *reply) imageSize() string {
	if s := r.call.size; s != "" && s != "auto" {
		return s
	}
	return "1024x1024"
}

// imageEvents is an image as a stream: a first impression of it, then the whole with the usage.
func (r *reply) imageEvents(prefix string) (stream, error) {
	usage, err := r.imageUsage()
	if err != nil {
		return stream{}, err
	}
	s := r.script()
	var data string
	if all := r.pictures(); len(all) > 0 {
		data = all[0].base64()
	}
	about := func(name string) object {
		return object{
			{"type", name},
			{"b64_json", data},
			{"created_at", r.created},
			{"size", r.imageSize()},
			{"quality", r.imageQuality()},
			{"background", "opaque"},
			{"output_format", "png"},
		}
	}
	partial, completed := prefix+".partial_image", prefix+".completed"
	s.add(partial, append(about(partial), member{"partial_image_index", 0}))
	done := about(completed)
	if usage != nil {
		done = append(done, member{"usage", usage})
	}
	s.end(completed, done)
	return s.stream(sseFraming)
}
