// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package render writes Go files and a reference page from the registry.
package render

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"strings"
	"text/template"

	"github.com/revenium/revenium-otel-go/tools/semconvgen/internal/registry"
)

//go:embed templates/*.tmpl
var templates embed.FS

// File is a generated file.
type File struct {
	// Path is relative to the root of the repository, with slashes.
	Path    string
	Content []byte
}

// Files renders all that is generated from the model. The same model always
// gives the same bytes.
func Files(reg *registry.Registry) ([]File, error) {
	names, err := nameAll(reg)
	if err != nil {
		return nil, err
	}
	tmpl, err := template.New("").Funcs(names.funcs()).ParseFS(templates, "templates/*.tmpl")
	if err != nil {
		return nil, err
	}
	var files []File
	for _, out := range []struct{ template, path string }{
		{"attributes.go.tmpl", "semconv/attributes_gen.go"},
		{"headers.go.tmpl", "semconv/headers_gen.go"},
		{"environment.go.tmpl", "semconv/environment_gen.go"},
		{"fields.go.tmpl", "semconv/fields_gen.go"},
		{"limits.go.tmpl", "semconv/limits/limits_gen.go"},
		{"attributes.md.tmpl", "docs/attributes.md"},
	} {
		var b bytes.Buffer
		if err := tmpl.ExecuteTemplate(&b, out.template, newView(reg)); err != nil {
			return nil, fmt.Errorf("render %s: %w", out.path, err)
		}
		content := b.Bytes()
		if strings.HasSuffix(out.path, ".go") {
			if content, err = format.Source(content); err != nil {
				return nil, fmt.Errorf("render %s: %w", out.path, err)
			}
		}
		files = append(files, File{Path: out.path, Content: content})
	}
	return files, nil
}
