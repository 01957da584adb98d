// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// defaultDimensions is the length of vectors when the request does not say: that of text-embedding-3-small.
const defaultDimensions = 1536

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

// embeddingBody is the answer to an embeddings request.
func (r *reply) embeddings() ([]byte, error) {
	usage, err := r.usage(0)
	if err != nil {
		return nil, err
	}
	in, _ := items(r.call.Input) // checked when the request was read
	b := embeddingBody{Object: "list", Model: r.model, Usage: usage, Data: []embedding{}}
	for i, it := range in {
		vector := r.vector(i, it.text)
		e := embedding{Object: "embedding", Index: i, Embedding: vector}
		if r.call.EncodingFormat == "base64" {
			e.Embedding = encode(vector)
		}
		b.Data = append(b.Data, e)
	}
	doc, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	return withExtra(doc, r.answer.Extra)
}

// vector is the scripted vector of input i, or a unit vector that depends on the text alone.
func (r *reply) vector(i int, text string) []float32 {
	if i < len(r.answer.Embeddings) {
		return r.answer.Embeddings[i]
	}
	n := defaultDimensions
	if r.call.Dimensions != nil {
		n = *r.call.Dimensions
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
