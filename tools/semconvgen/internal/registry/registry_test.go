// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/tools/semconvgen/internal/registry"
)

// model is a valid model that the cases of TestErrors spoil.
const model = `groups:
  - id: registry.a
    type: attribute_group
    display_name: A
    brief: First group.
    annotations:
      revenium.env:
        - name: REVENIUM_LOG_LEVEL
          brief: Level.
          default: INFO
      revenium.headers:
        - name: x-revenium-other
          brief: Other.
      revenium.derived:
        - field: requestTime
          from: start
    attributes:
      - id: revenium.task.type
        type: string
        stability: development
        brief: Class of the work.
        examples: [research]
        annotations:
          revenium.field: taskType
          revenium.level: process
          revenium.limit: {max_length: 255}
          revenium.aliases: [revenium.task_type]
          revenium.headers: [x-revenium-task-type]
          revenium.env: [REVENIUM_TASK_TYPE]
      - id: revenium.task_type
        type: string
        stability: development
        deprecated:
          reason: renamed
          renamed_to: revenium.task.type
        brief: Class of the work.
        examples: [research]
        annotations:
          code_generation: {exclude: true}
  - id: registry.b
    type: attribute_group
    display_name: B
    brief: Second group.
    attributes:
      - id: revenium.retry.number
        type: int
        stability: development
        brief: Number of the attempt.
        examples: [1]
        annotations:
          revenium.field: retryNumber
          revenium.level: call
          revenium.limit: {min: 0, max: 9}
      - id: revenium.pricing.tier
        type:
          members:
            - id: standard
              value: STANDARD
              brief: Normal.
              stability: development
        stability: development
        brief: Tier.
        annotations:
          revenium.limit: {members: true}
`

// from is the part of s that begins with start and ends before end.
func from(s, start, end string) string {
	_, rest, _ := strings.Cut(s, start)
	if end != "" {
		rest, _, _ = strings.Cut(rest, end)
	}
	return start + rest
}

func load(content string) (*registry.Registry, error) {
	return registry.Load(fstest.MapFS{
		"model/m.yaml": {Data: []byte(content)},
		// The manifest is weaver's and no part of the model.
		"model/registry_manifest.yaml": {Data: []byte("name: test\n")},
	}, "model")
}

func TestLoad(t *testing.T) {
	got, err := load(model)
	if err != nil {
		t.Fatal(err)
	}
	want := &registry.Registry{Groups: []*registry.Group{
		{
			File: "model/m.yaml", ID: "registry.a", DisplayName: "A", Brief: "First group.",
			Env:     []registry.Setting{{Name: "REVENIUM_LOG_LEVEL", Brief: "Level.", Default: "INFO"}},
			Headers: []registry.Setting{{Name: "x-revenium-other", Brief: "Other."}},
			Derived: []registry.Derived{{Field: registry.FieldRef{Name: "requestTime"}, From: "start"}},
			Attributes: []*registry.Attribute{
				{
					File: "model/m.yaml", ID: "revenium.task.type", Type: registry.Type{Name: "string"},
					Stability: "development", Brief: "Class of the work.", Examples: []string{`"research"`},
					Fields: []registry.FieldRef{{Name: "taskType"}}, Level: registry.LevelProcess,
					Limit:   &registry.Limit{MaxLength: 255},
					Aliases: []string{"revenium.task_type"}, Headers: []string{"x-revenium-task-type"}, Env: []string{"REVENIUM_TASK_TYPE"},
				},
				{
					File: "model/m.yaml", ID: "revenium.task_type", Type: registry.Type{Name: "string"},
					Stability: "development", Brief: "Class of the work.", Examples: []string{`"research"`}, Excluded: true,
					Deprecated: &registry.Deprecated{Reason: "renamed", RenamedTo: "revenium.task.type"},
				},
			},
		},
		{
			File: "model/m.yaml", ID: "registry.b", DisplayName: "B", Brief: "Second group.",
			Attributes: []*registry.Attribute{
				{
					File: "model/m.yaml", ID: "revenium.retry.number", Type: registry.Type{Name: "int"},
					Stability: "development", Brief: "Number of the attempt.", Examples: []string{"1"},
					Fields: []registry.FieldRef{{Name: "retryNumber"}}, Level: registry.LevelCall,
					Limit: &registry.Limit{Min: "0", Max: "9"},
				},
				{
					File: "model/m.yaml", ID: "revenium.pricing.tier",
					Type:      registry.Type{Name: "string", Members: []registry.Member{{ID: "standard", Value: "STANDARD", Brief: "Normal."}}},
					Stability: "development", Brief: "Tier.", Limit: &registry.Limit{Members: true},
				},
			},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("registry (-want +got):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	const retry = "model/m.yaml:45: revenium.retry.number: "
	for _, tt := range []struct {
		name     string
		old, new string
		want     string
	}{
		{
			"unknown key of an attribute", "brief: Class of the work.\n        examples: [research]\n        annotations:\n          revenium.field", "summary: x\n        brief: Class.\n        examples: [research]\n        annotations:\n          revenium.field",
			`model/m.yaml:21: revenium.task.type: unknown key "summary"; allowed are id, type,`,
		},
		{"unknown annotation", "revenium.level: call", "revenium.level: call\n          revenium.secert: true", `revenium.retry.number: unknown key "revenium.secert"; allowed are code_generation, revenium.field,`},
		{"unknown key of a group", "display_name: B", "display_name: B\n    title: B", `model/m.yaml:43: registry.b: unknown key "title"`},
		{"unknown key of the file", "groups:", "metrics: []\ngroups:", `model/m.yaml:1: unknown key "metrics"; allowed are groups`},
		{"key twice", "display_name: B", "display_name: B\n    brief: x", `key "brief" stands there twice`},
		{"no brief", "brief: Number of the attempt.", "note: x", retry + "brief is missing"},
		{"no stability", "type: int\n        stability: development", "type: int", retry + "stability is missing"},
		{"unknown stability", "type: int\n        stability: development", "type: int\n        stability: experimental", `stability "experimental" is none of stable, development`},
		{"no type", "type: int\n", "note: x\n", retry + "type is missing"},
		{"unknown type", "type: int\n", "type: integer\n", `revenium.retry.number: type "integer" is none of string, int`},
		{"no examples", "examples: [1]", "note: x", retry + "examples are missing"},
		{"empty examples", "examples: [1]", "examples: []", "revenium.retry.number: examples are missing"},
		{"examples of another type", "examples: [1]", `examples: ["1"]`, `revenium.retry.number: example "1" is not of type int`},
		{"examples that are no list", "examples: [1]", `examples: 1`, `revenium.retry.number: a list is expected`},
		{"no id", "id: revenium.retry.number", "note: x", "model/m.yaml:45: id is missing"},
		{"malformed id", "id: revenium.retry.number", "id: Revenium.Retry", "model/m.yaml: Revenium.Retry: the id does not match"},
		{"attribute twice", "id: revenium.retry.number", "id: revenium.task.type", "model/m.yaml: revenium.task.type: a second attribute of this id; the first is in model/m.yaml"},
		{"group twice", "id: registry.b", "id: registry.a", "model/m.yaml: registry.a: a second group of this id; the first is in model/m.yaml"},
		{"group of another type", "id: registry.b\n    type: attribute_group", "id: registry.b\n    type: span", `registry.b: type "span" is not attribute_group`},
		{"group without attributes", from(model, "    brief: Second group.", ""), "    brief: Second group.\n", "registry.b: the group has no attributes"},
		{"alias pointing nowhere", "aliases: [revenium.task_type]", "aliases: [revenium.tsk]", "revenium.task.type: alias revenium.tsk is not in the model"},
		{"alias of itself", "aliases: [revenium.task_type]", "aliases: [revenium.task.type]", "alias revenium.task.type stands there twice or is the attribute itself"},
		{"alias twice", "aliases: [revenium.task_type]", "aliases: [revenium.task_type, revenium.task_type]", "alias revenium.task_type stands there twice"},
		{"alias in both lists", "revenium.aliases: [revenium.task_type]", "revenium.aliases: [revenium.task_type]\n          revenium.opt_in_aliases: [revenium.task_type]", "alias revenium.task_type stands there twice"},
		{"renamed to nothing", "renamed_to: revenium.task.type", "note: x", "revenium.task_type: deprecated: renamed_to is missing"},
		{"renamed to what is not there", "renamed_to: revenium.task.type", "renamed_to: revenium.task", "revenium.task_type: deprecated: renamed_to revenium.task is not in the model"},
		{"unknown reason", "reason: renamed", "reason: removed", `deprecated: reason "removed" is none of renamed, obsoleted, uncategorized`},
		{"length that is no number", "max_length: 255", "max_length: many", `revenium.task.type: revenium.limit: max_length "many" is not a positive whole number`},
		{"length of zero", "max_length: 255", "max_length: 0", `max_length "0" is not a positive whole number`},
		{"unknown limit", "max_length: 255", "maxlength: 255", `unknown key "maxlength"`},
		{"empty limit", "{max_length: 255}", "{}", "revenium.limit says nothing"},
		{"malformed pattern", "max_length: 255", `pattern: "["`, "revenium.limit: error parsing regexp"},
		{"length of a number", "{min: 0, max: 9}", "{max_length: 9}", "length and pattern are for texts, the type is int"},
		{"range of a text", "{max_length: 255}", "{min: 1}", "min and max are for numbers, the type is string"},
		{"bound that is no number", "min: 0", "min: none", "revenium.retry.number: a number is expected"},
		{"empty range", "min: 0", "min: 9", "min 9 is not below max 9"},
		{"values of a type that has none", "{max_length: 255}", "{members: true}", "members is for enumerations, the type is string"},
		{"no level", "          revenium.level: call\n", "", "revenium.retry.number: revenium.level is missing"},
		{"unknown level", "level: call", "level: span", `revenium.level "span" is none of call, request, process`},
		{"variable for a single call", "level: process", "level: request", "an environment variable is valid for a whole process, level request is not"},
		{"header for a single call", "level: process", "level: call", "a header is valid for a whole request, level call is not"},
		{"level without a field", "          revenium.field: retryNumber\n", "", "revenium.retry.number: revenium.level needs a revenium.field"},
		{"field twice", "field: retryNumber", "field: taskType", "revenium.field taskType is that of revenium.task.type already"},
		{"unknown record", "field: retryNumber", "field: picture:retryNumber", `record "picture" is none of image, audio, video, tool`},
		{"field without a name", "field: retryNumber", `field: "image:"`, `revenium.field "image:" has no name`},
		{"derived field with an attribute", "field: requestTime", "field: taskType", "registry.a: revenium.derived: taskType is read from revenium.task.type"},
		{"header twice", "name: x-revenium-other", "name: x-revenium-task-type", "header x-revenium-task-type is that of revenium.task.type already"},
		{"variable twice", "name: REVENIUM_LOG_LEVEL", "name: REVENIUM_TASK_TYPE", "environment variable REVENIUM_TASK_TYPE is that of revenium.task.type already"},
		{"setting without a meaning", "          brief: Level.\n", "", "registry.a: brief is missing"},
		{"member without a value", "              value: STANDARD\n", "", "revenium.pricing.tier: value is missing"},
		{"member twice", "            - id: standard\n", "            - {id: standard, value: A, stability: stable}\n            - id: standard\n", "revenium.pricing.tier: member standard stands there twice"},
		{"no members", from(model, "          members:", "        stability: development\n        brief: Tier."), "          members: []\n", "revenium.pricing.tier: the enumeration has no members"},
		{"flag that is none", "{exclude: true}", "{exclude: maybe}", "revenium.task_type: true or false is expected"},
		{"text that is a list", "brief: Tier.", "brief: [Tier]", "revenium.pricing.tier: a text is expected"},
		{"mapping that is a text", "    annotations:\n      revenium.env:", "    annotations: none\n    x:\n      revenium.env:", "registry.a: a mapping is expected"},
		{"no YAML", "groups:", "groups: [", "model/m.yaml: "},
		{"empty file", model, "", "model/m.yaml: the file is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spoilt := strings.Replace(model, tt.old, tt.new, 1)
			if spoilt == model {
				t.Fatalf("the case changes nothing: %q is not in the model", tt.old)
			}
			_, err := load(spoilt)
			if err == nil {
				t.Fatalf("no error, want %q", tt.want)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error:\n%v\nwant:\n%s", err, tt.want)
			}
		})
	}
}

// TestErrorsAreCollected shows that one run tells all.
func TestErrorsAreCollected(t *testing.T) {
	spoilt := strings.NewReplacer("brief: Tier.", "note: Tier.", "brief: Number of the attempt.", "note: x").Replace(model)
	_, err := load(spoilt)
	want := "model/m.yaml:45: revenium.retry.number: brief is missing\nmodel/m.yaml:54: revenium.pricing.tier: brief is missing"
	if err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}

func TestNoFiles(t *testing.T) {
	_, err := registry.Load(fstest.MapFS{"model/registry_manifest.yaml": {Data: []byte("name: test\n")}}, "model")
	if err == nil || err.Error() != "no .yaml file in model" {
		t.Errorf("error %v", err)
	}
}

// TestDuplicatesAcrossFiles names both files.
func TestDuplicatesAcrossFiles(t *testing.T) {
	second := strings.NewReplacer("registry.a", "registry.c", "registry.b", "registry.d").Replace(model)
	_, err := registry.Load(fstest.MapFS{
		"model/m.yaml": {Data: []byte(model)},
		"model/n.yaml": {Data: []byte(second)},
	}, "model")
	want := "model/n.yaml: revenium.retry.number: a second attribute of this id; the first is in model/m.yaml"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}
