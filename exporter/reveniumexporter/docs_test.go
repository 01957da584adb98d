// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

// settings are the keys of a struct of this package and of those below it, with
// dots between them; keys of the Collector's own structs are left out.
func settings(t reflect.Type, prefix string) (keys []string) {
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		if name == "" {
			continue
		}
		keys = append(keys, prefix+name)
		typ := field.Type
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.Struct && strings.HasSuffix(typ.PkgPath(), "/reveniumexporter") {
			keys = append(keys, settings(typ, prefix+name+".")...)
		}
	}
	return keys
}

// schemaSettings are the keys of a schema, in the same form.
func schemaSettings(tb testing.TB, schema, defs map[string]any, prefix string) (keys []string) {
	tb.Helper()
	properties, _ := schema["properties"].(map[string]any)
	for name, v := range properties {
		property := v.(map[string]any)
		keys = append(keys, prefix+name)
		for _, nested := range []any{property, property["items"], property["additionalProperties"]} {
			s, _ := nested.(map[string]any)
			ref, _ := s["$ref"].(string)
			if ref == "" || strings.HasPrefix(ref, "/") {
				continue
			}
			def, ok := defs[ref].(map[string]any)
			if !ok {
				tb.Errorf("%s%s refers to %s, which is not defined", prefix, name, ref)
			}
			keys = append(keys, schemaSettings(tb, def, defs, prefix+name+".")...)
		}
	}
	return keys
}

// TestSchema checks that the schema has every setting and no other.
func TestSchema(t *testing.T) {
	conf, err := confmaptest.LoadConf("config.schema.yaml")
	if err != nil {
		t.Fatal(err)
	}
	schema := conf.ToStringMap()
	got := schemaSettings(t, schema, schema["$defs"].(map[string]any), "")
	want := settings(reflect.TypeFor[Config](), "")
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestReadme checks that the page names every setting and every metric, and that
// its configurations are ones that the exporter takes.
func TestReadme(t *testing.T) {
	page := read(t, "README.md")
	for _, key := range settings(reflect.TypeFor[Config](), "") {
		if last := key[strings.LastIndexByte(key, '.')+1:]; !strings.Contains(page, "`"+last+"`") {
			t.Errorf("the page does not name `%s`", key)
		}
	}
	metrics := regexp.MustCompile(`exporter_revenium_[a-z_]+`)
	for _, name := range metrics.FindAllString(read(t, "metadata.yaml"), -1) {
		if !strings.Contains(page, "`otelcol_"+name+"`") {
			t.Errorf("the page does not name %s", name)
		}
	}
	for _, name := range metrics.FindAllString(page, -1) {
		if !strings.Contains(read(t, "metadata.yaml"), name+":") {
			t.Errorf("the page names metric %s, which does not exist", name)
		}
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(examples) < 3 {
		t.Fatalf("%d examples found: the pattern of this test does not fit the page", len(examples))
	}
	t.Setenv("REVENIUM_METERING_API_KEY", testKey)
	for _, example := range examples {
		text := strings.NewReplacer("${env:REVENIUM_METERING_API_KEY}", testKey, "${env:ACME_KEY}", "rev_mk_test_acme").Replace(example[1])
		retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		conf, err := retrieved.AsConf()
		if err != nil {
			t.Fatal(err)
		}
		sub, err := conf.Sub("exporters::revenium")
		if err != nil {
			t.Fatal(err)
		}
		cfg := createDefaultConfig().(*Config)
		if err := sub.Unmarshal(cfg); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
		if err := confmap.Validate(cfg); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
	}
}

func read(tb testing.TB, file string) string {
	tb.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}
