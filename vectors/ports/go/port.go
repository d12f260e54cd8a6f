// Signs and verifies HTTP requests: HTTP HMAC 1.0 (goTom) and keyed timestamps (GoGrid). Go 1.18 or later, nothing else.
//
//	request := Request{"GET", "/path?query", []Pair{{"Content-Type", "application/json"}}, "", "https://host"}
//	signed, err := Sign(GoTom(), request, Credential{KeyID: "key id", Secret: "secret"}, Clock{Second: time.Now().Unix()})
//	keyID, err := Verify(GoGrid(), request, map[string][]string{"key id": {"secret"}}, Clock{Second: time.Now().Unix()})
//
// What cannot be signed or does not verify is an error of the type Refused. In this folder `go run .` speaks the conformance
// protocol, with recipes. This file and dates.go are what the two schemes need besides their own.
//
// SPDX-License-Identifier: MIT
package main

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

const form = "application/x-www-form-urlencoded"

// Hashes by the names of the option `algorithm`.
var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// Refused is why a request is not signed, or not taken. Inside it is a panic, which Sign and Verify make an error of.
type Refused struct{ Reason, Detail string }

func (r Refused) Error() string { return r.Reason + ": " + r.Detail }

func refuseIf(wrong bool, reason, detail string) {
	if wrong {
		panic(Refused{reason, detail})
	}
}

// Pair is a header or a parameter.
type Pair struct{ Name, Value string }

// Request is one as it is on the wire: all strings hold its bytes.
type Request struct {
	Method, Target string
	Headers        []Pair
	Body, Origin   string
}

// Credential is what a request is signed with; recipes may want a nonce and more.
type Credential struct {
	KeyID, Secret, Nonce string
	Extra                map[string]string
}

// Signed is what to set on a request, the target and body it then has, and the string that was signed.
type Signed struct {
	Headers, Query, Form []Pair
	Target, Body, String string
}

// Clock is Unix time: the whole second, and the milliseconds behind it.
type Clock struct{ Second, Millisecond int64 }

// Scheme is one of those below, or a recipe. Its methods refuse by a panic.
type Scheme interface {
	sign(r Request, c Credential, now Clock) Signed
	verify(r Request, keys map[string][]string, now Clock) string
}

// Sign says what to set on the request so that it is signed.
func Sign(s Scheme, r Request, c Credential, now Clock) (signed Signed, err error) {
	defer recovered(&err)
	bad := c.KeyID == "" || c.Secret == "" || !utf8.ValidString(c.KeyID) || hasControl(c.KeyID, '\t')
	refuseIf(bad, "cannot_sign", "the key id or the secret is empty, or the key id is no clean text")
	r.check(originForm(r.Target), "cannot_sign")
	return s.sign(r, c, now), nil
}

// Verify gives the key id that the request verifies for.
func Verify(s Scheme, r Request, keys map[string][]string, now Clock) (keyID string, err error) {
	defer recovered(&err)
	r.Target = originForm(r.Target)
	return s.verify(r, keys, now), nil
}

func recovered(err *error) {
	if refused, is := recover().(Refused); is {
		*err = refused
	}
}

// ASCII letters alone: strings.ToLower would take the bytes for UTF-8.
func lower(s string) string { return shifted(s, 'A', 32) }
func upper(s string) string { return shifted(s, 'a', 256-32) }

func shifted(s string, first byte, by int) string {
	folded := []byte(s)
	for i, c := range folded {
		if c >= first && c < first+26 {
			folded[i] = c + byte(by)
		}
	}
	return string(folded)
}

// Not TrimSpace, which takes more.
func trim(s string) string { return strings.Trim(s, " \t") }

func hyphens(s string) string { return strings.ReplaceAll(s, "_", "-") }

func contains(list []string, s string) bool {
	for _, each := range list {
		if each == s {
			return true
		}
	}
	return false
}

func mapped(list []string, f func(string) string) (made []string) {
	for _, each := range list {
		made = append(made, f(each))
	}
	return made
}

func hasControl(s string, but byte) bool {
	for i := 0; i < len(s); i++ {
		if (s[i] < 32 || s[i] == 127) && s[i] != but {
			return true
		}
	}
	return false
}

func (r Request) values(name string) (found []string) {
	for _, pair := range r.Headers {
		if lower(pair.Name) == name {
			found = append(found, trim(pair.Value))
		}
	}
	return found
}

func (r Request) hasMediaType(mediaType string) bool {
	for _, value := range r.values("content-type") {
		kind, _, _ := strings.Cut(value, ";")
		if lower(trim(kind)) == mediaType {
			return true
		}
	}
	return false
}

func (r Request) isForm() bool { return upper(r.Method) != "GET" && r.hasMediaType(form) }

func (r Request) isSecure() bool { return strings.HasPrefix(lower(r.Origin), "https://") }

func (r Request) with(changed []Pair) Request {
	names := map[string]bool{}
	for _, pair := range changed {
		names[lower(pair.Name)] = true
	}
	var headers []Pair
	for _, pair := range r.Headers {
		if !names[lower(pair.Name)] {
			headers = append(headers, pair)
		}
	}
	r.Headers = append(headers, changed...)
	return r
}

var (
	absolute = regexp.MustCompile(`(?i)^https?://[^/?#]*`)
	token    = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	plain    = regexp.MustCompile("^/[!\"$-~]*$")
	override = regexp.MustCompile("^x-(http-method-override|http-method|method-override)$")
	escape   = regexp.MustCompile("%[0-9A-Fa-f]{2}")
)

// Path and query of a target that has the absolute form.
func originForm(target string) string {
	place := absolute.FindStringIndex(target)
	if place == nil || strings.HasPrefix(target[place[1]:], "/") {
		return absolute.ReplaceAllString(target, "")
	}
	return "/" + target[place[1]:]
}

// What no scheme signs or takes.
func (r Request) check(target, reason string) {
	refuseIf(!token.MatchString(r.Method), reason, "the method is not a token")
	refuseIf(!plain.MatchString(target), reason, "the target is not path and query in printable ASCII without #")
	for _, pair := range r.Headers {
		overridden := upper(r.Method) == "POST" && override.MatchString(hyphens(lower(pair.Name)))
		refuseIf(overridden, reason, "the method is overridden")
	}
}

func secretsOf(keys map[string][]string, keyID string) (usable []string) {
	for _, secret := range keys[keyID] {
		if secret != "" {
			usable = append(usable, secret)
		}
	}
	refuseIf(usable == nil, "unknown_key", "no secret is known")
	return usable
}

// Window is how far a time may lie from the clock, in seconds.
type Window struct{ Past, Future int64 }

func (w Window) check(at int64, now Clock) {
	refuseIf(now.Second-at > w.Past, "stale", "too old")
	refuseIf(at-now.Second > w.Future, "future", "too far ahead")
}

// The bytes of a name or value: + is a space, an escape that is none stays. url.QueryUnescape would refuse it.
func unescaped(wire string) string {
	return escape.ReplaceAllStringFunc(strings.ReplaceAll(wire, "+", " "), func(digits string) string {
		decoded, _ := hex.DecodeString(digits[1:])
		return string(decoded)
	})
}

// Not url.QueryEscape alone, which writes a space as +.
func escaped(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// The parameters of these names in a query or form, decoded. Not url.ParseQuery, which drops what it cannot read.
func fields(encoded string, names []string) (found []Pair) {
	for _, part := range strings.Split(encoded, "&") {
		name, value, _ := strings.Cut(part, "=")
		if name = unescaped(name); contains(names, name) {
			found = append(found, Pair{name, unescaped(value)})
		}
	}
	return found
}
