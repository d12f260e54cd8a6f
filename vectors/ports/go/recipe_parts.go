// What a recipe signs, part by part. SPDX-License-Identifier: MIT

package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// A part, with the options that any of them has.
type part struct {
	Part        string
	OmitEmpty   bool `json:"omit_empty"`
	Fold        string
	Excludes    string
	When        *condition
	Names       []string
	Prefix      string
	Sort        string
	Pair, Item  *string
	Between     *string
	Ended       bool
	Title       bool
	DropBlank   bool   `json:"drop_blank"`
	HTTPVersion string `json:"http_version"`
	Of, Start   string
	Without     []string
	Decoded     *bool
	Encode      string
	LowerNames  bool `json:"lower_names"`
	Plain       bool
	Digest      string
	Encoding    string
	Parts       []part
	Joiner      string
	Segment     *int
	Before      string
	Empty       string
	Absent      string
}

type condition struct {
	Methods      []string
	ContentTypes []string `json:"content_types"`
	Body         *bool
}

var words = strings.Fields("method target path query url host body content-type media-type header headers params digest time key_id secret nonce extra literal")

// A part is a word, or a table where it has options.
func (p *part) UnmarshalJSON(raw []byte) error {
	type plain part // without this method
	var err error
	if raw[0] == '"' {
		err = json.Unmarshal(raw, &p.Part)
	} else {
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.DisallowUnknownFields()
		err = decoder.Decode((*plain)(p))
	}
	if word, _ := p.word(); err == nil && !contains(words, word) {
		err = fmt.Errorf("there is no part %s", word)
	}
	return err
}

func (p part) word() (word, argument string) {
	word, argument, _ = strings.Cut(p.Part, ":")
	return word, argument
}

// Of a request: what its carriers say, its time, and what to call it when it is refused.
type context struct {
	r      Request
	values map[string]string
	at     Clock
	reason string
	recipe *Recipe
}

func (c context) refuseIf(wrong bool, detail string) { refuseIf(wrong, c.reason, detail) }

// Whether the part needs the body.
func (p part) isLate() bool {
	word, _ := p.word()
	late := word == "body" || (word == "params" && p.Of != "" && p.Of != "query") || (p.When != nil && p.When.Body != nil)
	for _, inner := range p.Parts {
		late = late || inner.isLate()
	}
	return late
}

func (w *condition) holds(r Request) bool {
	typed := w.ContentTypes == nil
	for _, mediaType := range w.ContentTypes {
		typed = typed || r.hasMediaType(mediaType)
	}
	return typed && (w.Methods == nil || contains(w.Methods, upper(r.Method))) && (w.Body == nil || *w.Body == (r.Body != ""))
}

// The text of a part; false where it is left out.
func (p part) text(c context, secret string) (string, bool) {
	if p.When != nil && !p.When.holds(c.r) {
		return "", false
	}
	text, there := p.plainText(c, secret)
	switch p.Fold {
	case "lower":
		text = lower(text)
	case "upper":
		text = upper(text)
	}
	c.refuseIf(p.Excludes != "" && strings.Contains(text, p.Excludes), "a part holds what separates it")
	return text, there && (text != "" || !p.OmitEmpty)
}

func joinedParts(parts []part, c context, joiner, secret string) string {
	var texts []string
	for _, p := range parts {
		if text, there := p.text(c, secret); there {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, joiner)
}

func (p part) plainText(c context, secret string) (string, bool) {
	word, argument := p.word()
	target := originForm(c.r.Target)
	path, query, _ := strings.Cut(target, "?")
	_, host, _ := strings.Cut(c.r.Origin, "://")
	switch word {
	case "method":
		return upper(c.r.Method), true
	case "target":
		return target, true
	case "path":
		return p.path(path, c), true
	case "query":
		return p.query(query, c), true
	case "url", "host":
		c.refuseIf(c.r.Origin == "", "the origin is not known")
		if word == "host" {
			return host, true
		}
		return c.r.Origin + target, true
	case "body":
		return p.body(argument, c)
	case "header":
		return p.header(argument, c), true
	case "content-type":
		return p.header("content-type", c), true
	case "media-type":
		kind, _, _ := strings.Cut(p.header("content-type", c), ";")
		return trim(kind), true
	case "headers":
		return p.lines(c), true
	case "params":
		return p.params(query, c), true
	case "digest":
		return encodedDigest(p.Digest, orElse(p.Encoding, "hex"), joinedParts(p.Parts, c, p.Joiner, secret)), true
	case "time":
		if argument == "" && c.recipe.sends("time") {
			return c.values["time"], true
		}
		return writeTime(orElse(argument, "unix"), c.at), true
	case "secret":
		return secret, true
	case "literal":
		return argument, true
	case "extra":
		word = "extra." + argument
	}
	return c.values[word], c.values[word] != "" || !c.recipe.mayBeLeftOut(word)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func orElseAt(text *string, otherwise string) string {
	if text == nil {
		return otherwise
	}
	return *text
}

func encodedDigest(algorithm, encoding, text string) string {
	digest := hashes[algorithm]()
	digest.Write([]byte(text))
	return encoded(digest.Sum(nil), encoding)
}

func encoded(digest []byte, encoding string) string {
	switch encoding {
	case "HEX":
		return upper(hex.EncodeToString(digest))
	case "base64":
		return base64.StdEncoding.EncodeToString(digest)
	case "base64url":
		return base64.URLEncoding.EncodeToString(digest)
	case "base64url-nopad":
		return base64.RawURLEncoding.EncodeToString(digest)
	case "raw":
		return string(digest)
	}
	return hex.EncodeToString(digest)
}

// The digest of a body that the placeholder body:ALG:ENC stands for.
func bodyDigest(placeholder, body string) string {
	_, algorithm, _ := strings.Cut(placeholder, ":")
	algorithm, encoding, _ := strings.Cut(algorithm, ":")
	return encodedDigest(algorithm, orElse(encoding, "hex"), body)
}

func (p part) path(path string, c context) string {
	if p.Segment == nil {
		return path
	}
	segments := strings.Split(path[1:], "/")
	place := *p.Segment
	if place < 0 {
		place += len(segments)
	}
	c.refuseIf(place < 0 || place >= len(segments), "there is no such segment")
	return segments[place]
}

func (p part) query(query string, c context) string {
	if p.Before != "" {
		return before(query, p.Before, c)
	}
	if p.Without == nil {
		return query
	}
	var kept []string
	for _, pair := range strings.Split(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); !contains(p.Without, unescaped(name)) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// All that stands before a parameter, which has to be the last.
func before(encoded, last string, c context) string {
	pairs := strings.Split(encoded, "&")
	for i, pair := range pairs {
		if name, _, _ := strings.Cut(pair, "="); unescaped(name) == last {
			c.refuseIf(i != len(pairs)-1, last+" is not the last parameter")
			pairs = pairs[:i]
		}
	}
	return strings.TrimRight(strings.Join(pairs, "&"), "&")
}

func (p part) body(argument string, c context) (string, bool) {
	algorithm, encoding, _ := strings.Cut(argument, ":")
	algorithm, encoding = orElse(algorithm, p.Digest), orElse(orElse(encoding, p.Encoding), "hex")
	switch {
	case algorithm != "" && c.r.Body == "" && (p.Empty == "nothing" || p.Empty == "omit"):
		return "", p.Empty == "nothing"
	case algorithm != "":
		return encodedDigest(algorithm, encoding, c.r.Body), true
	case p.Before != "" && c.r.hasMediaType(form):
		return before(c.r.Body, p.Before, c), true
	}
	return c.r.Body, true
}

func (p part) header(name string, c context) string {
	value, there := c.lone(name)
	c.refuseIf(!there && p.Absent != "nothing" && !p.OmitEmpty, "there is no "+name)
	return value
}

func (p part) lines(c context) string {
	names := p.Names
	if p.Prefix != "" {
		names = nil
		for _, pair := range c.r.Headers {
			if name := lower(pair.Name); strings.HasPrefix(name, lower(p.Prefix)) && name != lower(p.Prefix) {
				names = append(names, name)
			}
		}
	}
	var lines []string
	for i, name := range names {
		if contains(names[:i], name) {
			continue
		}
		if line, there := p.line(lower(name), c); there {
			lines = append(lines, line)
		}
	}
	if p.Sort != "none" {
		sort.Strings(lines)
	}
	item := orElseAt(p.Item, "\n")
	if p.Ended && lines != nil {
		return strings.Join(lines, item) + item
	}
	return strings.Join(lines, item)
}

func (p part) line(name string, c context) (string, bool) {
	requestLine := upper(c.r.Method) + " " + originForm(c.r.Target)
	switch name {
	case "@request-target":
		return requestLine, true
	case "request-line":
		return requestLine + " HTTP/" + orElse(p.HTTPVersion, "1.1"), true
	}
	value, there := c.lone(name)
	if p.DropBlank && (value == "" || value == "0") {
		return "", false
	}
	if p.Title {
		words := strings.Split(name, "-")
		for i, word := range words {
			if word != "" {
				words[i] = upper(word[:1]) + word[1:]
			}
		}
		name = strings.Join(words, "-")
	}
	return name + orElseAt(p.Pair, ": ") + value, there
}

func (p part) params(query string, c context) string {
	inForm := ""
	if c.r.hasMediaType(form) {
		inForm = c.r.Body
	}
	var pairs []Pair
	for _, text := range map[string][]string{"": {query}, "query": {query}, "form": {inForm}, "both": {query, inForm}}[p.Of] {
		for _, sent := range strings.Split(text, "&") {
			name, value, _ := strings.Cut(sent, "=")
			if sent != "" && (value != "" || !p.DropBlank) && !contains(p.Without, unescaped(name)) {
				pairs = append(pairs, Pair{p.decoded(name, c), p.decoded(value, c)})
			}
		}
	}
	between, behind := orElseAt(p.Pair, "="), orElseAt(p.Item, "&")
	for _, pair := range pairs {
		holds := strings.Contains(pair.Name, between) || strings.Contains(pair.Name, behind) || strings.Contains(pair.Value, behind)
		c.refuseIf(p.Plain && holds, "a parameter holds what separates parameters")
	}
	p.lowerNames(pairs, c)
	if p.Sort == "" || p.Sort == "name" {
		sort.SliceStable(pairs, func(i, j int) bool { return pairs[i].Name < pairs[j].Name })
	}
	texts := make([]string, len(pairs))
	for i, pair := range pairs {
		pairs[i] = Pair{p.encoded(pair.Name, behind), p.encoded(pair.Value, behind)}
	}
	if p.Sort == "pair" {
		sort.Slice(pairs, func(i, j int) bool {
			return pairs[i].Name < pairs[j].Name || (pairs[i].Name == pairs[j].Name && pairs[i].Value < pairs[j].Value)
		})
	}
	for i, pair := range pairs {
		texts[i] = pair.Name + between + pair.Value
	}
	if pairs == nil {
		return ""
	}
	return p.Start + strings.Join(texts, behind)
}

func (p part) decoded(text string, c context) string {
	if p.Decoded != nil && !*p.Decoded {
		return text
	}
	text = unescaped(text)
	c.refuseIf(!utf8.ValidString(text), "a parameter is not UTF-8")
	for _, letter := range text {
		c.refuseIf(letter < 32 || (letter >= 127 && letter < 160), "a parameter holds a control character")
	}
	return text
}

func (p part) lowerNames(pairs []Pair, c context) {
	spellings := map[string]string{}
	for i, pair := range pairs {
		if !p.LowerNames {
			return
		}
		name := lower(pair.Name)
		spelling, there := spellings[name]
		c.refuseIf(there && spelling != pair.Name, "two parameters differ in case alone")
		spellings[name], pairs[i].Name = pair.Name, name
	}
}

func (p part) encoded(text, item string) string {
	switch p.Encode {
	case "form":
		return strings.ReplaceAll(escaped(text), "%20", "+")
	case "rfc3986":
		return escaped(text)
	case "item":
		return strings.ReplaceAll(text, item, escaped(item))
	}
	return text
}
