// Recipes: schemes that a document describes, one for each API. SPDX-License-Identifier: MIT

package main

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Recipe is such a document. Its fields are those of docs/recipes.md.
type Recipe struct {
	Name, Joiner, Mac, Encoding  string
	Parts                        []part
	AnyCase                      bool `json:"any_case"`
	Secret                       string
	SecretPrefix                 string `json:"secret_prefix"`
	Time, Nonce                  string
	Window                       any
	Methods                      []string
	AllowHTTP                    bool    `json:"allow_http"`
	ContentType                  *string `json:"content_type"`
	KeyIDParam                   string  `json:"key_id_param"`
	Headers, Query, Form         table
	QueryOrForm                  table  `json:"query-or-form"`
	ListSeparator                string `json:"list_separator"`
	keyed                        bool
	algorithm, place, signedName string
	window                       *Window
	headers, fields              []carrier
	signed                       *template
}

// A table of templates by name, in its order.
type table []Pair

func (t *table) UnmarshalJSON(raw []byte) error {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	_, err := decoder.Token()
	for err == nil && decoder.More() {
		var name json.Token
		var text string
		if name, err = decoder.Token(); err == nil {
			err = decoder.Decode(&text)
		}
		*t = append(*t, Pair{fmt.Sprint(name), text})
	}
	return err
}

type carrier struct {
	name string
	*template
}

// NewRecipe reads a document in JSON. What it says that this reader does not know is an error.
func NewRecipe(document []byte) (*Recipe, error) {
	r := &Recipe{Encoding: "hex", Secret: "text", Time: "unix", Nonce: "required", Window: map[string]any{"past": 300.0, "future": 300.0}}
	decoder := json.NewDecoder(strings.NewReader(string(document)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(r); err != nil {
		return nil, err
	}
	kind, algorithm, _ := strings.Cut(r.Mac, "-")
	if hashes[algorithm] == nil {
		return nil, fmt.Errorf("there is no MAC %s", r.Mac)
	}
	r.keyed, r.algorithm, r.place = kind == "hmac", algorithm, "query"
	if window, is := r.Window.(map[string]any); is {
		r.window = &Window{int64(window["past"].(float64)), int64(window["future"].(float64))}
	}
	sent := r.Query
	if r.Form != nil {
		sent, r.place = r.Form, "form"
	} else if r.QueryOrForm != nil {
		sent, r.place = r.QueryOrForm, "query-or-form"
	}
	patterns, empty := map[string]string{"signature": r.signaturePattern()}, ""
	if r.Nonce == "optional" {
		empty = "nonce"
	}
	for _, pair := range r.Headers {
		made := newTemplate(pair.Value, patterns, empty)
		if r.ListSeparator != "" && made.holds("signature") {
			made = newList(pair.Value, patterns, r.ListSeparator)
		}
		if made.holds("signature") {
			r.signed, r.signedName = made, lower(pair.Name)
		}
		r.headers = append(r.headers, carrier{pair.Name, made})
	}
	for _, pair := range sent {
		r.fields = append(r.fields, carrier{pair.Name, newTemplate(pair.Value, patterns, empty)})
	}
	return r, nil
}

func (r *Recipe) signaturePattern() string {
	size := hashes[r.algorithm]().Size()
	padding := strings.Repeat("=", (3-size%3)%3)
	letters := map[string]string{"hex": "0-9a-f", "HEX": "0-9A-F", "base64": "A-Za-z0-9+/", "base64url": "A-Za-z0-9_-", "base64url-nopad": "A-Za-z0-9_-"}[r.Encoding]
	switch {
	case lower(r.Encoding) == "hex" && r.AnyCase:
		return fmt.Sprintf("[0-9A-Fa-f]{%d}", size*2)
	case lower(r.Encoding) == "hex":
		return fmt.Sprintf("[%s]{%d}", letters, size*2)
	case r.Encoding == "base64url-nopad":
		padding = ""
	}
	return fmt.Sprintf("[%s]{%d}%s", letters, (size*8+5)/6, padding)
}

func (r *Recipe) carriers() []carrier { return append(append([]carrier{}, r.headers...), r.fields...) }

// Whether a carrier holds the value.
func (r *Recipe) sends(name string) bool {
	for _, c := range r.carriers() {
		if c.holds(name) {
			return true
		}
	}
	return false
}

// Whether the carrier of the value is left out where there is none, and its part with it.
func (r *Recipe) mayBeLeftOut(name string) bool {
	for _, c := range r.carriers() {
		if contains(c.optional(), name) {
			return true
		}
	}
	return false
}

var inBase64 = regexp.MustCompile(`^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`)

// The bytes of the key; nothing where the secret is not in its form.
func (r *Recipe) key(secret string) string {
	if r.Secret == "text" && !strings.HasPrefix(secret, r.SecretPrefix) {
		return ""
	}
	secret = strings.TrimPrefix(secret, r.SecretPrefix)
	switch r.Secret {
	case "base64":
		if !inBase64.MatchString(secret) {
			return ""
		}
		decoded, _ := base64.StdEncoding.DecodeString(secret)
		return string(decoded)
	case "hex":
		decoded, err := hex.DecodeString(secret)
		if err != nil {
			return ""
		}
		return string(decoded)
	case "md5-hex":
		return encodedDigest("md5", "hex", secret)
	}
	return secret
}

func (r *Recipe) signature(key, text string) string {
	if !r.keyed {
		return encodedDigest(r.algorithm, r.Encoding, text)
	}
	mac := hmac.New(hashes[r.algorithm], []byte(key))
	mac.Write([]byte(text))
	return encoded(mac.Sum(nil), r.Encoding)
}

// The string to sign, with a NUL where the secret goes, and with the secret.
func (r *Recipe) strings(c context, key string) (shown, signed string) {
	return joinedParts(r.Parts, c, r.Joiner, "\x00"), joinedParts(r.Parts, c, r.Joiner, key)
}

// The value of a header that is signed or that carries something; false where there is none.
func (c context) lone(name string) (value string, there bool) {
	found := spellings(c.r, name)
	if found == nil {
		return "", false
	}
	c.refuseIf(len(found) > 1 || lower(found[0].Name) != lower(name), name+" is there twice, or in another spelling")
	value = trim(found[0].Value)
	c.refuseIf(hasControl(value, 0x80), name+" holds a control character")
	return value, true
}

// The headers of a name, those with underscores in it besides.
func spellings(r Request, name string) (found []Pair) {
	for _, pair := range r.Headers {
		if hyphens(lower(pair.Name)) == hyphens(lower(name)) {
			found = append(found, pair)
		}
	}
	return found
}

// The scheme's own parameters in the query and in the form.
func (r *Recipe) places(request Request) (query, inForm []Pair) {
	var names []string
	for _, c := range r.fields {
		names = append(names, c.name)
	}
	if r.KeyIDParam != "" {
		names = append(names, r.KeyIDParam)
	}
	if _, encoded, _ := strings.Cut(originForm(request.Target), "?"); r.place != "form" {
		query = fields(encoded, names)
	}
	if r.place != "query" && request.hasMediaType(form) {
		inForm = fields(request.Body, names)
	}
	return query, inForm
}

// The names of the listed headers that a request has, for {headers}; drafted are those that it is about to get.
func (r *Recipe) namesThere(request Request, drafted []string) string {
	for _, p := range r.Parts {
		if p.Part != "headers" {
			continue
		}
		var there []string
		for _, name := range mapped(p.Names, lower) {
			if name == "request-line" || name == "@request-target" || contains(drafted, name) || request.values(name) != nil {
				there = append(there, name)
			}
		}
		return strings.Join(there, orElseAt(p.Between, " "))
	}
	return ""
}

func (r *Recipe) verify(request Request, keys map[string][]string, now Clock) string {
	values := r.read(request)
	keyID := values["key_id"]
	c := context{request, values, Clock{Second: now.Second}, "malformed", r}
	if r.sends("time") {
		at, isTime := readTime(r.Time, values["time"])
		c.refuseIf(!isTime, "the time is not in its form")
		c.at = at
	}
	for _, p := range r.Parts {
		if !p.isLate() {
			p.text(c, "")
		}
	}
	c.refuseIf(r.sends("headers") && values["headers"] != r.namesThere(request, nil), "the list of signed headers is another one")
	request.check(request.Target, "malformed")
	c.refuseIf(request.Method != upper(request.Method), "the method is not upper case")
	if r.sends("time") && r.window != nil {
		r.window.check(c.at.Second, now)
	}
	r.strings(c, "") // what needs the body
	for name, sent := range values {
		if strings.HasPrefix(name, "body:") {
			same := sent == bodyDigest(name, request.Body) || (sent == "" && request.Body == "")
			c.refuseIf(!same, "the digest is that of another body")
		}
	}
	var known []string
	for _, secret := range secretsOf(keys, keyID) {
		known = append(known, r.key(secret))
		refuseIf(r.key(secret) == "", "unavailable", "a secret that is not in its form")
	}
	for _, key := range known {
		if r.fits(c, key, now) {
			return keyID
		}
	}
	panic(Refused{"mismatch", "no secret fits"})
}

// Whether the key fits, at any second of the window where none is sent.
func (r *Recipe) fits(c context, key string, now Clock) bool {
	first, last := now.Second, now.Second
	if r.window != nil && !r.sends("time") && r.signsTime() {
		first, last = now.Second-r.window.Past, now.Second+r.window.Future
	}
	for second := first; second <= last; second++ {
		if !r.sends("time") {
			c.at = Clock{Second: second}
		}
		_, text := r.strings(c, key)
		expected := r.signature(key, text)
		for _, sent := range strings.Split(c.values["signature"], " ") {
			if r.AnyCase && r.Encoding == "HEX" {
				sent = upper(sent)
			} else if r.AnyCase {
				sent = lower(sent)
			}
			if hmac.Equal([]byte(expected), []byte(sent)) {
				return true
			}
		}
	}
	return false
}

func (r *Recipe) signsTime() bool {
	for _, p := range r.Parts {
		if word, _ := p.word(); word == "time" {
			return true
		}
	}
	return false
}

// What the carriers of a request say.
func (r *Recipe) read(request Request) map[string]string {
	values := map[string]string{}
	problem := r.readCarriers(request, values)
	refuseIf(!r.AllowHTTP && !request.isSecure(), "insecure", "not over https")
	refuseIf(problem != "", "malformed", problem)
	if !r.sends("key_id") {
		values["key_id"] = r.Name
	}
	if named, there := values["key_id_param"]; there {
		values["key_id"] = named
	}
	keyID := values["key_id"]
	refuseIf(keyID == "" || !utf8.ValidString(keyID) || hasControl(keyID, 0x80), "malformed", "the key id is empty, not UTF-8 or holds a control character")
	refuseIf(r.Methods != nil && !contains(r.Methods, upper(request.Method)), "malformed", "the method is not taken")
	refuseIf(r.Nonce == "number" && !number.MatchString(values["nonce"]), "malformed", "the nonce is no number")
	for name, value := range values {
		refuseIf((name == "nonce" || strings.HasPrefix(name, "extra.")) && hasControl(value, 0x80), "malformed", name+" holds a control character")
	}
	return values
}
