// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// form is the body of a request that is a multipart form, as those with files are, or a JSON object.
type form struct {
	fields map[string]string
	file   string // name of the first file
	bytes  int64  // length of all files
}

// readForm reads a form. Images may be asked for with either kind of body.
func readForm(in incoming) (form, *Error) {
	mediaType, params, err := mime.ParseMediaType(in.contentType)
	if err == nil && strings.HasPrefix(mediaType, "multipart/") {
		f, err := readMultipart(in.body, params["boundary"])
		if err != nil {
			return form{}, badRequest("", "", "Could not parse multipart form: "+err.Error())
		}
		return f, nil
	}
	var members map[string]json.RawMessage
	if bad := readJSON(in, &members, openAIComplaint); bad != nil {
		return form{}, bad
	}
	f := form{fields: make(map[string]string, len(members))}
	for name, raw := range members {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw) // a number, say
		}
		f.fields[name] = text
	}
	return f, nil
}

func readMultipart(body []byte, boundary string) (form, error) {
	f := form{fields: make(map[string]string)}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return f, err
		}
		if part.FileName() == "" {
			f.fields[part.FormName()] = string(data)
			continue
		}
		if f.file == "" {
			f.file = part.FileName()
		}
		f.bytes += int64(len(data))
	}
}
