// What carries the credentials of a recipe: "EAN APIKey={key_id},Signature={signature}". A value ends where the text behind it
// begins. SPDX-License-Identifier: MIT

package main

import (
	"encoding/base64"
	"regexp"
	"strings"
)

var pieces = regexp.MustCompile(`\{\{|\}\}|\{[^{}]+\}|[^{}]+`)

// A piece is text, or the name of a value: {extra.token?} is left out where there is none, {mac:extra.passphrase} is sent as its MAC.
type piece struct {
	text, name    string
	optional, mac bool
}

func piecesOf(text string) (found []piece) {
	for _, part := range pieces.FindAllString(text, -1) {
		name := strings.Trim(part, "{}")
		switch {
		case part == "{{" || part == "}}":
			found = append(found, piece{text: part[:1]})
		case part[0] == '{':
			bare := strings.TrimPrefix(strings.TrimSuffix(name, "?"), "mac:")
			found = append(found, piece{name: bare, optional: strings.HasSuffix(name, "?"), mac: strings.HasPrefix(name, "mac:")})
		default:
			found = append(found, piece{text: part})
		}
	}
	return found
}

type template struct {
	pieces  []piece
	pattern *regexp.Regexp
	inside  *template // of {basic}, the base64 of key id, colon and signature
	names   []string
	empty   bool // whether its one value may be empty
	// Where it is a list, what stands between its items, what stands before them, and the items.
	separator, word string
	items           []*template
}

func newTemplate(text string, patterns map[string]string, mayBeEmpty string) *template {
	t := &template{pieces: piecesOf(text)}
	expression := ""
	for i, p := range t.pieces {
		if p.name == "" {
			expression += regexp.QuoteMeta(p.text)
			continue
		}
		t.names = append(t.names, p.name)
		t.empty = t.empty || p.name == mayBeEmpty
		value, known := patterns[p.name]
		switch {
		case known:
		case p.name == "basic":
			t.inside = newTemplate("{key_id}:{signature}", patterns, "")
			value = "[A-Za-z0-9+/]+={0,2}"
		case i+1 < len(t.pieces):
			value = "[^" + regexp.QuoteMeta(t.pieces[i+1].text[:1]) + "]+"
		case t.empty:
			value = ".*"
		default:
			value = ".+"
		}
		expression += "(" + value + ")"
	}
	t.pattern = regexp.MustCompile("(?s)^" + expression + "$")
	return t
}

func newList(text string, patterns map[string]string, separator string) *template {
	t := newTemplate(text, patterns, "")
	t.separator = separator
	if strings.TrimSpace(separator) != "" {
		t.word = text[:strings.LastIndex(t.literal(), " ")+1]
	}
	for _, item := range strings.Split(strings.TrimPrefix(text, t.word), separator) {
		t.items = append(t.items, newTemplate(item, patterns, ""))
	}
	return t
}

// The text before the first value.
func (t *template) literal() string {
	if len(t.pieces) == 0 {
		return ""
	}
	return t.pieces[0].text
}

func (t *template) holds(name string) bool {
	return contains(t.names, name) || (t.inside != nil && contains(t.inside.names, name))
}

func (t *template) optional() (found []string) {
	for _, p := range t.pieces {
		if p.optional {
			found = append(found, p.name)
		}
	}
	return found
}

func (t *template) mayBeAbsent() bool {
	absent := len(t.optional()) > 0
	for _, name := range t.names {
		absent = absent || strings.HasPrefix(name, "body:")
	}
	return absent
}

func (t *template) leftOut(values map[string]string) bool {
	for _, name := range t.optional() {
		if values[name] == "" {
			return true
		}
	}
	return false
}

func (t *template) write(values map[string]string) (text string) {
	for _, p := range t.pieces {
		if p.name == "basic" {
			text += base64.StdEncoding.EncodeToString([]byte(t.inside.write(values)))
		} else {
			text += p.text + values[p.name]
		}
	}
	refuseIf(!t.pattern.MatchString(text), "cannot_sign", "a value is empty or holds what ends it")
	return text
}

// Puts the values in a text into found; false where it is not of this template.
func (t *template) read(text string, found map[string]string) bool {
	if t.items != nil {
		return t.readList(text, found)
	}
	match := t.pattern.FindStringSubmatch(text)
	if match == nil {
		return false
	}
	for i, name := range t.names {
		if name != "basic" {
			found[name] = match[i+1]
			continue
		}
		decoded, err := base64.StdEncoding.Strict().DecodeString(match[i+1])
		if err != nil || !t.inside.read(string(decoded), found) {
			return false
		}
	}
	return true
}

// Items stand in any order, and the signature may be there more than once.
func (t *template) readList(text string, found map[string]string) bool {
	mark := strings.TrimSpace(t.separator)
	if mark == "" {
		mark = " "
	}
	if !strings.HasPrefix(text, t.word) {
		return false
	}
	seen := map[string]string{}
	var signatures []string
	for _, part := range strings.Split(strings.TrimPrefix(text, t.word), mark) {
		part = trim(part)
		for _, item := range t.items {
			if !strings.HasPrefix(part, item.literal()) {
				continue
			}
			name, value := item.names[0], map[string]string{}
			read := item.read(part, value)
			if name == "signature" {
				if read {
					signatures = append(signatures, value[name])
				}
				continue
			}
			if _, twice := seen[name]; !read || twice || value[name] != trim(value[name]) {
				return false
			}
			seen[name] = value[name]
		}
	}
	for name, value := range seen {
		found[name] = value
	}
	found["signature"] = strings.Join(signatures, " ")
	return signatures != nil && len(seen) == len(t.items)-1
}
