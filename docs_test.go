// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestConfigurationPage checks that every option and variable that the page names
// exists, and that the page names every option.
func TestConfigurationPage(t *testing.T) {
	page := read(t, "docs/configuration.md")
	var sources strings.Builder
	for _, pattern := range []string{"*.go", "exporter/*.go", "exporter/convert/*.go", "exporter/metering/*.go", "exporter/spool/*.go", "instrument/*.go", "instrument/llmhttp/*.go", "instrument/propagate/*.go", "semconv/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files like %s: %v", pattern, err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				sources.WriteString(read(t, file))
			}
		}
	}
	code := sources.String()
	named := make(map[string]bool)
	for _, option := range regexp.MustCompile("`(?:[a-z]+\\.)?(With[A-Za-z]+)").FindAllStringSubmatch(page, -1) {
		named[option[1]] = true
		if !strings.Contains(code, "\nfunc "+option[1]+"(") {
			t.Errorf("the page names option %s, which does not exist", option[1])
		}
	}
	for _, option := range regexp.MustCompile(`(?m)^func (With[A-Za-z]+)\(`).FindAllStringSubmatch(code, -1) {
		if !named[option[1]] && !isNoSetting(option[1]) {
			t.Errorf("the page does not name option %s", option[1])
		}
	}
	variables := regexp.MustCompile("`((?:[A-Z]+_)+[A-Z]+|ENVIRONMENT)").FindAllStringSubmatch(page, -1)
	if len(named) < 30 || len(variables) < 15 {
		t.Fatalf("found %d options and %d variables on the page: the patterns of this test do not fit it", len(named), len(variables))
	}
	for _, variable := range variables {
		if name := variable[1]; !strings.Contains(code, `"`+name+`"`) && !readElsewhere(name) {
			t.Errorf("the page names variable %s, which nothing reads", name)
		}
	}
}

// isNoSetting says whether a function is named like an option and is none that a
// user sets: context functions, and what the exporter itself tells its parts.
func isNoSetting(name string) bool {
	switch name {
	case "WithMetadata", "WithWrapperMetadata", "WithHeaderMetadata", "WithBaggageMetadata", "WithoutMetadata":
		return true
	case "WithClock", "WithMaxMemory", "WithOverflow", "WithEvents", "WithUnreadable":
		return true
	default:
		return false
	}
}

// TestPagesNameWhatExists checks that every option and variable of ours that any page
// names is there; blocks of code have tests of their own. The changelog also tells of
// names that were.
func TestPagesNameWhatExists(t *testing.T) {
	var code strings.Builder
	for _, file := range files(t, ".go") {
		if !strings.HasSuffix(file, "_test.go") {
			code.WriteString(read(t, file))
		}
	}
	found := 0
	for _, page := range files(t, ".md") {
		if page == "CHANGELOG.md" {
			continue
		}
		for _, name := range regexp.MustCompile(`\b(sdktrace\.)?(?:With[A-Z][A-Za-z]+|REVENIUM_[A-Z_]*[A-Z])`).FindAllString(prose(read(t, page)), -1) {
			found++
			if strings.HasPrefix(name, "sdktrace.") {
				continue // of the SDK
			}
			if !strings.Contains(code.String(), "func "+name+"(") && !strings.Contains(code.String(), `"`+name+`"`) {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
	}
	if found < 200 {
		t.Errorf("only %d names found: the pattern of this test does not fit the pages", found)
	}
}

// files are the files of the repository with an extension.
func files(t *testing.T, extension string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != "." {
			return filepath.SkipDir
		}
		if filepath.Ext(name) == extension {
			found = append(found, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil || len(found) < 15 {
		t.Fatalf("found the files %v: %v", found, err)
	}
	return found
}

// readElsewhere says whether OpenTelemetry's SDK or net/http reads the variable itself.
func readElsewhere(name string) bool {
	switch name {
	case "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY":
		return true
	default:
		return false
	}
}

// TestAdaptersPage checks that every piece of Go on the page stands, word for
// word, in a file that its module compiles and runs.
func TestAdaptersPage(t *testing.T) {
	files, err := filepath.Glob("instrument/*/snippets_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no snippets: %v", err)
	}
	var compiled strings.Builder
	for _, file := range files {
		compiled.WriteString(unindented(read(t, file)))
		module := filepath.Base(filepath.Dir(file))
		if !strings.Contains(read(t, "docs/adapters.md"), "instrument/"+module) {
			t.Errorf("the page does not name %s", module)
		}
	}
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "docs/adapters.md"), -1) {
		if !strings.Contains(compiled.String(), unindented(block[1])) {
			t.Errorf("in no snippets_test.go:\n%s", block[1])
		}
	}
}

// TestReadmeAdapters checks that the README has every adapter, that its line of
// code stands in a file which the adapter's module compiles and runs, and that the
// module has documentation and an example.
func TestReadmeAdapters(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "README.md"), "\n## Adapters\n")
	section, _, _ = strings.Cut(section, "\n## ")
	lines := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| .*\\| `(revenium[a-z]+)` \\| `(.+)` \\|$").FindAllStringSubmatch(section, -1) {
		lines[row[1]] = row[2]
	}
	modules, err := filepath.Glob("instrument/revenium*/go.mod")
	if err != nil || len(modules) == 0 || len(lines) != len(modules) {
		t.Fatalf("%d adapters in the README, %d modules: %v", len(lines), len(modules), err)
	}
	for _, file := range modules {
		dir := filepath.Dir(file)
		line := lines[filepath.Base(dir)]
		if line == "" || !strings.Contains(read(t, filepath.Join(dir, "snippets_test.go")), line) {
			t.Errorf("%s: %q is not in its snippets_test.go", dir, line)
		}
		if !strings.Contains(read(t, filepath.Join(dir, "doc.go")), "\n// Package "+filepath.Base(dir)+" ") {
			t.Errorf("%s has no documentation", dir)
		}
		if !strings.Contains(read(t, filepath.Join(dir, "example_test.go")), "\nfunc Example() {") {
			t.Errorf("%s has no example", dir)
		}
	}
}

// unindented is the code without indentation and empty lines.
func unindented(code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestLinks checks the links from page to page, and to headings on them.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s:]+)\)`)
	for _, page := range files(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(prose(read(t, page)), -1) {
			file, heading, _ := strings.Cut(match[1], "#")
			to := page
			if file != "" {
				to = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s: %v", page, match[1], err)
			} else if heading != "" && !headings(read(t, to))[heading] {
				t.Errorf("%s links to %s, which has no such heading", page, match[1])
			}
		}
	}
}

// prose is a page without its blocks of code.
func prose(page string) string {
	return regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(page, "")
}

// headings are the names by which links find the headings of a page.
func headings(page string) map[string]bool {
	found := make(map[string]bool)
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(prose(page), -1) {
		text := regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(heading[1], "$1")
		text = regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(text), "")
		found[strings.ReplaceAll(text, " ", "-")] = true
	}
	return found
}

// TestRooms checks that docs/architecture.md has every package, and that none imports
// what its row does not name.
func TestRooms(t *testing.T) {
	const module = "github.com/revenium/revenium-otel-go"
	rooms := make(map[string]string)
	quoted := regexp.MustCompile("`([^`]+)`")
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*`.*) \\| .* \\| (.*) \\|$").FindAllStringSubmatch(read(t, "docs/architecture.md"), -1) {
		for _, name := range quoted.FindAllStringSubmatch(row[1], -1) {
			rooms[name[1]] = row[2]
		}
	}
	for dir, imports := range imports(t) {
		room := dir
		switch {
		case dir == ".":
			room = "revenium"
		case strings.HasPrefix(dir, "instrument/revenium"):
			room = "instrument/reveniumopenai" // one row for all adapters
		}
		allowed, ok := rooms[room]
		if !ok {
			t.Errorf("the page has no row for %s", dir)
		}
		for _, imported := range imports {
			to, ours := strings.CutPrefix(imported, module+"/")
			if !ours || strings.Contains(to, "internal/") || allowed == "all" {
				continue
			}
			names := "`" + to + "`"
			if !strings.Contains(allowed, names) && !strings.Contains(allowed, strings.Replace(names, "/limits`", "`", 1)) {
				t.Errorf("%s imports %s, and the page says: %s", dir, to, allowed)
			}
		}
	}
}

// imports are what the packages that others can use import, by folder.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	for _, source := range files(t, ".go") {
		if strings.HasSuffix(source, "_test.go") || strings.Contains(source, "internal/") || strings.Contains(source, "testdata/") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		if file.Name.Name == "main" {
			continue
		}
		dir := path.Dir(source)
		found[dir] = append(found[dir], "")
		for _, spec := range file.Imports {
			found[dir] = append(found[dir], strings.Trim(spec.Path.Value, `"`))
		}
	}
	if len(found) < 25 {
		t.Fatalf("found packages in %d folders", len(found))
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
