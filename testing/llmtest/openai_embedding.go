// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// defaultDimensions is the length of vectors when the request does not say: that of text-embedding-3-small.
const defaultDimensions = 1536

var embeddingsKind = &kind{api: APIEmbeddings, dialect: openAI, read: readEmbeddings, plain: (*reply).embeddings}

func readEmbeddings(c *call, in incoming) *Error {
	q, bad := c.readOpenAI(in)
	if bad != nil {
		return bad
	}
	c.stream = false // there are none
	var ok bool
	if c.asked, ok = items(q.Input); !ok {
		return badRequest("", "", "'$.input' is invalid. Please check the API reference.")
	}
	if !c.resize(q.Dimensions) {
		return badRequest("", "", fmt.Sprintf("%d is not between 1 and %d - 'dimensions'", *q.Dimensions, maxDimensions))
	}
	if f := q.EncodingFormat; f != "" && f != "float" && f != "base64" {
		return badRequest("encoding_format", "invalid_value", "encoding_format must be float or base64")
	}
	c.encoding = q.EncodingFormat
	return nil
}

type embeddingBody struct {
	Object string          `json:"object"`
	Data   []embedding     `json:"data"`
	Model  string          `json:"model"`
	Usage  json.RawMessage `json:"usage,omitempty"`
}

type embedding struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"`
}

// embeddings is the answer to an embeddings request.
func (r *reply) embeddings() (content, error) {
	usage, err := r.usage(0)
	if err != nil {
		return content{}, err
	}
	b := embeddingBody{Object: "list", Model: r.model, Usage: usage, Data: []embedding{}}
	for i, vector := range r.vectors() {
		e := embedding{Object: "embedding", Index: i, Embedding: vector}
		if r.call.encoding == "base64" {
			e.Embedding = encode(vector)
		}
		b.Data = append(b.Data, e)
	}
	return r.jsonContent(b)
}

// resize notes how long vectors are to be; false if they cannot be that long.
func (c *call) resize(dimensions *int) bool {
	c.dimensions = dimensions
	return dimensions == nil || (*dimensions >= 1 && *dimensions <= maxDimensions)
}

// vectors are the vectors of all inputs.
func (r *reply) vectors() [][]float32 {
	out := make([][]float32, len(r.call.asked))
	for i, in := range r.call.asked {
		out[i] = r.vector(i, in.text)
	}
	return out
}

// vector is the scripted vector of input i, or a unit vector that depends on the text alone.
func (r *reply) vector(i int, text string) []float32 {
	if i < len(r.answer.Embeddings) {
		return r.answer.Embeddings[i]
	}
	n := defaultDimensions
	if r.call.dimensions != nil {
		n = *r.call.dimensions
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // never fails
	rng := rand.New(rand.NewPCG(h.Sum64(), 0))
	v := make([]float32, n)
	var square float64
	for i := range v {
		v[i] = float32(rng.NormFloat64())
		square += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(square))
	}
	return v
}

// encode writes a vector as OpenAI does for encoding_format base64: little-endian 32-bit floats.
func encode(v []float32) string {
	b := make([]byte, 0, 4*len(v))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(b)
}
