// HTTP HMAC 1.0, of which goTom is one. SPDX-License-Identifier: MIT

package main

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"
)

// HeaderHMAC is HTTP HMAC 1.0: Authorization: <provider> <key id>:base64(HMAC(secret, string to sign))
type HeaderHMAC struct {
	Provider         string   `json:"provider"`
	Algorithm        string   `json:"algorithm"`
	SignedHeaders    []string `json:"signed_headers"`
	DropBlankHeaders bool     `json:"drop_blank_headers"`
	ContentType      string   `json:"content_type"`
	DateHeader       string   `json:"date_header"`
	DatePrecision    string   `json:"date_precision"`
	MultipartAsEmpty bool     `json:"multipart_as_empty"`
	Window           Window   `json:"window"`
}

// GoTom is goTom's.
func GoTom() *HeaderHMAC {
	return &HeaderHMAC{Provider: "gotom_app_api", Algorithm: "sha1", ContentType: "application/json", DateHeader: "Date", DatePrecision: "seconds", Window: Window{1800, 1800}}
}

func (h *HeaderHMAC) stringToSign(r Request) string {
	found := h.covered(r, "cannot_sign")
	body := r.Body
	if h.MultipartAsEmpty && upper(r.Method) == "POST" && r.hasMediaType("multipart/form-data") {
		body = ""
	}
	var custom []string
	for i, name := range h.SignedHeaders {
		value, there := found[lower(name)]
		blank := h.DropBlankHeaders && (value == "" || value == "0")
		if there && !blank && !contains(h.SignedHeaders[:i], name) {
			custom = append(custom, lower(name)+": "+value)
		}
	}
	sort.Strings(custom) // whole lines, by bytes
	digest := md5.Sum([]byte(body))
	lines := []string{upper(r.Method), hex.EncodeToString(digest[:]), lower(found["content-type"]), found[lower(h.DateHeader)]}
	return strings.Join(append(lines, strings.Join(custom, "\n"), originForm(r.Target)), "\n")
}

func (h *HeaderHMAC) signature(secret, text string) string {
	mac := hmac.New(hashes[h.Algorithm], []byte(secret))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// The headers that are signed, by name in lower case, each there once and with a clean value.
func (h *HeaderHMAC) covered(r Request, reason string) map[string]string {
	names := append([]string{"content-type", lower(h.DateHeader)}, mapped(h.SignedHeaders, lower)...)
	folded := mapped(names, hyphens)
	found := map[string]string{}
	for _, pair := range r.Headers {
		name, value := lower(pair.Name), trim(pair.Value)
		if contains(names, name) {
			_, there := found[name]
			refuseIf(there || hasControl(value, 0x80), reason, name+" is there twice or holds a control character")
			found[name] = value
		}
		standsIn := !contains(names, name) && contains(folded, hyphens(name))
		refuseIf(standsIn, reason, name+" would stand in for a signed header") // CGI gives both one name
	}
	return found
}

func (h *HeaderHMAC) sign(r Request, c Credential, now Clock) Signed {
	headers := []Pair{{h.DateHeader, dateText(now, h.DatePrecision == "milliseconds")}}
	if r.values("content-type") == nil {
		headers = append(headers, Pair{"Content-Type", h.ContentType})
	}
	if contains(mapped(h.SignedHeaders, lower), "host") && r.values("host") == nil {
		_, host, known := strings.Cut(r.Origin, "://")
		refuseIf(!known, "cannot_sign", "Host is signed and not known")
		headers = append(headers, Pair{"Host", host})
	}
	text := h.stringToSign(r.with(headers))
	keyID := strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(c.KeyID)
	headers = append(headers, Pair{"Authorization", h.Provider + " " + keyID + ":" + h.signature(c.Secret, text)})
	return Signed{Headers: headers, Target: r.Target, Body: r.Body, String: text}
}

func (h *HeaderHMAC) credentials(r Request) (keyID, signature string) {
	sent := r.values("authorization")
	claimed := false
	for _, value := range sent {
		claimed = claimed || strings.HasPrefix(value+" ", h.Provider+" ")
	}
	refuseIf(!claimed, "missing", "no Authorization of this provider")
	size := hashes[h.Algorithm]().Size()
	shape := regexp.MustCompile(fmt.Sprintf(`(?s)^%s ((?:[^\\:]|\\[\\:])+):([A-Za-z0-9+/]{%d}={%d})$`, regexp.QuoteMeta(h.Provider), (size*4+2)/3, (3-size%3)%3))
	match := shape.FindStringSubmatch(sent[0])
	refuseIf(len(sent) > 1 || match == nil, "malformed", "Authorization is not there once in its one form")
	keyID = strings.NewReplacer(`\\`, `\`, `\:`, ":").Replace(match[1])
	refuseIf(!utf8.ValidString(keyID) || hasControl(keyID, '\t'), "malformed", "the key id is not UTF-8 or holds a control character")
	return keyID, match[2]
}

func (h *HeaderHMAC) verify(r Request, keys map[string][]string, now Clock) string {
	keyID, sent := h.credentials(r)
	found := h.covered(r, "malformed")
	at, isDate := dateSeconds(found[lower(h.DateHeader)])
	_, typed := found["content-type"]
	refuseIf(!isDate || !typed || r.Method != upper(r.Method), "malformed", "no date in a form that is read, no Content-Type, or no upper-case method")
	r.check(r.Target, "malformed")
	h.Window.check(at, now)
	secrets := secretsOf(keys, keyID)
	text := h.stringToSign(r)
	for _, secret := range secrets {
		if hmac.Equal([]byte(h.signature(secret, text)), []byte(sent)) {
			return keyID
		}
	}
	panic(Refused{"mismatch", "no secret fits"})
}
