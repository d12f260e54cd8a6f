// Signs and verifies HTTP requests: HTTP HMAC 1.0 (goTom) and keyed timestamps (GoGrid). Go 1.18 or later, nothing else.
//
//	request := Request{"GET", "/path?query", []Pair{{"Content-Type", "application/json"}}, "", "https://host"}
//	signed, err := Sign("gotom", nil, request, "key id", "secret", Clock{Second: time.Now().Unix()}) // signed.Headers, …
//	keyID, err := Verify("gotom", nil, request, map[string][]string{"key id": {"secret"}}, clock)
//
// What cannot be signed or does not verify is an error of the type Refused. `go run port.go` speaks the conformance protocol.
//
// SPDX-License-Identifier: MIT
package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"math/big"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const form = "application/x-www-form-urlencoded"

// Hashes by the names of the option `algorithm`.
var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// Refused is why a request is not signed, or not taken.
type Refused struct{ Reason, Detail string }

func (r Refused) Error() string { return r.Reason + ": " + r.Detail }

// Pair is a header or a parameter.
type Pair struct{ Name, Value string }

// Request is one as it is on the wire: all strings hold its bytes.
type Request struct {
	Method, Target string
	Headers        []Pair
	Body, Origin   string
}

// Signed is what to set on a request, the target and body it then has, and the string that was signed.
type Signed struct {
	Headers, Query, Form []Pair
	Target, Body, String string
}

// Clock is Unix time: the whole second, and the milliseconds behind it.
type Clock struct{ Second, Millisecond int64 }

// ASCII letters alone: strings.ToLower would take the bytes for UTF-8.
func lower(s string) string {
	folded := []byte(s)
	for i, c := range folded {
		if c >= 'A' && c <= 'Z' {
			folded[i] = c + 32
		}
	}
	return string(folded)
}

func upper(s string) string {
	folded := []byte(s)
	for i, c := range folded {
		if c >= 'a' && c <= 'z' {
			folded[i] = c - 32
		}
	}
	return string(folded)
}

// Not TrimSpace, which takes more.
func trim(s string) string { return strings.Trim(s, " \t") }

func contains(list []string, s string) bool {
	for _, each := range list {
		if each == s {
			return true
		}
	}
	return false
}

func mapped(list []string, f func(string) string) []string {
	made := make([]string, len(list))
	for i, each := range list {
		made[i] = f(each)
	}
	return made
}

func hyphens(s string) string { return strings.ReplaceAll(s, "_", "-") }

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
		if lower(trim(strings.SplitN(value, ";", 2)[0])) == mediaType {
			return true
		}
	}
	return false
}

func (r Request) isForm() bool { return upper(r.Method) != "GET" && r.hasMediaType(form) }

func (r Request) with(changed []Pair) Request {
	var headers []Pair
	for _, pair := range r.Headers {
		replaced := false
		for _, other := range changed {
			replaced = replaced || lower(other.Name) == lower(pair.Name)
		}
		if !replaced {
			headers = append(headers, pair)
		}
	}
	r.Headers = append(headers, changed...)
	return r
}

var (
	absolute = regexp.MustCompile(`(?is)^https?://[^/?#]*(.*)$`)
	token    = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	plain    = regexp.MustCompile("^/[!\"$-~]*$")
)

// Path and query of a target that has the absolute form. The pattern takes what is not UTF-8 byte by byte.
func originForm(target string) string {
	match := absolute.FindStringSubmatchIndex(target)
	if match == nil {
		return target
	}
	rest := target[match[2]:]
	if !strings.HasPrefix(rest, "/") {
		rest = "/" + rest
	}
	return rest
}

// What no scheme signs or takes.
func (r Request) check(target, reason string) error {
	if !token.MatchString(r.Method) {
		return Refused{reason, "the method is not a token"}
	}
	if !plain.MatchString(target) {
		return Refused{reason, "the target is not path and query in printable ASCII without #"}
	}
	for _, pair := range r.Headers {
		switch hyphens(lower(pair.Name)) {
		case "x-http-method-override", "x-http-method", "x-method-override":
			if upper(r.Method) == "POST" {
				return Refused{reason, "the method is overridden"}
			}
		}
	}
	return nil
}

func dateText(now Clock, milliseconds bool) (string, error) {
	if now.Second < -62135596800 || now.Second > 253402300799 {
		return "", Refused{"cannot_sign", "no date says this time"}
	}
	text := time.Unix(now.Second, 0).UTC().Format("2006-01-02T15:04:05")
	if milliseconds {
		text += fmt.Sprintf(".%03d", now.Millisecond)
	}
	return text + "Z", nil
}

const (
	day      = `(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})`
	clock    = `(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?`
	zone     = `(?:Z|(?P<sign>[+-])(?P<zoneHour>[0-9]{2})(?::?(?P<zoneMinute>[0-9]{2}))?)`
	months   = "JanFebMarAprMayJunJulAugSepOctNovDec"
	weekdays = "SunMonTueWedThuFriSat"
)

var dates = []*regexp.Regexp{
	regexp.MustCompile("^" + day + "T" + clock + zone + "$"),
	regexp.MustCompile("^" + day + " " + clock + "(?: UTC| ?" + zone + ")$"),
	regexp.MustCompile(`^(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})T(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})` + zone + "$"),
	regexp.MustCompile(`^(?:(?P<weekday>[A-Z][a-z]{2}), )?(?P<day>[0-9]{1,2}) (?P<name>[A-Z][a-z]{2}) (?P<year>[0-9]{4}) ` +
		`(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))? (?:GMT|UTC|(?P<sign>[+-])(?P<zoneHour>[0-9]{2})(?P<zoneMinute>[0-9]{2}))$`),
}

// Unix seconds of a date in a form that is read. Not time.Parse, which takes other zones, commas and hours of one digit.
func dateSeconds(text string) (int64, bool) {
	for _, form := range dates {
		if match := form.FindStringSubmatch(text); match != nil {
			return dateOf(form, match)
		}
	}
	return 0, false
}

func dateOf(form *regexp.Regexp, match []string) (int64, bool) {
	text := func(name string) string {
		if i := form.SubexpIndex(name); i >= 0 {
			return match[i]
		}
		return ""
	}
	number := func(name string) int {
		n, _ := strconv.Atoi(text(name)) // nothing is 0
		return n
	}
	month := number("month")
	if name := text("name"); name != "" {
		at := strings.Index(months, name)
		if at%3 != 0 { // or -1
			return 0, false
		}
		month = at/3 + 1
	}
	year, dayOf, hour, minute, second := number("year"), number("day"), number("hour"), number("minute"), number("second")
	if year < 1 || hour > 23 || minute > 59 || second > 59 || number("zoneHour") > 23 || number("zoneMinute") > 59 {
		return 0, false
	}
	date := time.Date(year, time.Month(month), dayOf, hour, minute, second, 0, time.UTC)
	if date.Month() != time.Month(month) || date.Day() != dayOf { // a day that there is not is another one
		return 0, false
	}
	weekday := int(date.Weekday()) * 3
	if name := text("weekday"); name != "" && weekdays[weekday:weekday+3] != name {
		return 0, false
	}
	offset := int64(number("zoneHour")*3600 + number("zoneMinute")*60)
	if text("sign") == "-" {
		offset = -offset
	}
	return date.Unix() - offset, true
}

func secretsOf(keys map[string][]string, keyID string) (usable []string, err error) {
	for _, secret := range keys[keyID] {
		if secret != "" {
			usable = append(usable, secret)
		}
	}
	if usable == nil {
		err = Refused{"unknown_key", "no secret is known"}
	}
	return usable, err
}

// Options are those of both schemes, by the names of the protocol.
type Options struct {
	Provider         string   `json:"provider"`
	Algorithm        string   `json:"algorithm"`
	SignedHeaders    []string `json:"signed_headers"`
	DropBlankHeaders bool     `json:"drop_blank_headers"`
	ContentType      string   `json:"content_type"`
	DateHeader       string   `json:"date_header"`
	DatePrecision    string   `json:"date_precision"`
	MultipartAsEmpty bool     `json:"multipart_as_empty"`
	KeyParam         string   `json:"key_param"`
	SigParam         string   `json:"sig_param"`
	VersionParam     *string  `json:"version_param"`
	Version          *string  `json:"version"`
	Versions         []string `json:"versions"`
	Placement        string   `json:"placement"`
	Methods          []string `json:"methods"`
	AllowHTTP        bool     `json:"allow_http"`
	Window           struct {
		Past   int64 `json:"past"`
		Future int64 `json:"future"`
	} `json:"window"`
}

const (
	gotom = `{"provider": "gotom_app_api", "algorithm": "sha1", "content_type": "application/json", "date_header": "Date",
		"date_precision": "seconds", "window": {"past": 1800, "future": 1800}}`
	gogrid = `{"key_param": "api_key", "sig_param": "sig", "version_param": "v", "version": "1.5", "algorithm": "md5", "placement": "auto",
		"versions": ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"], "methods": ["GET", "POST"],
		"window": {"past": 600, "future": 600}}`
)

// HTTP HMAC 1.0: Authorization: <provider> <key id>:base64(HMAC(secret, string to sign))

func (o Options) stringToSign(r Request) (string, error) {
	found, err := o.covered(r, "cannot_sign")
	if err != nil {
		return "", err
	}
	body := r.Body
	if o.MultipartAsEmpty && upper(r.Method) == "POST" && r.hasMediaType("multipart/form-data") {
		body = ""
	}
	var custom []string
	for i, name := range o.SignedHeaders {
		value, there := found[lower(name)]
		blank := o.DropBlankHeaders && (value == "" || value == "0")
		if there && !blank && !contains(o.SignedHeaders[:i], name) {
			custom = append(custom, lower(name)+": "+value)
		}
	}
	sort.Strings(custom) // whole lines, by bytes
	digest := md5.Sum([]byte(body))
	lines := []string{upper(r.Method), hex.EncodeToString(digest[:]), lower(found["content-type"]), found[lower(o.DateHeader)]}
	return strings.Join(append(lines, strings.Join(custom, "\n"), originForm(r.Target)), "\n"), nil
}

func (o Options) headerSignature(secret, text string) string {
	mac := hmac.New(hashes[o.Algorithm], []byte(secret))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// The headers that are signed, by name in lower case, each there once and with a clean value.
func (o Options) covered(r Request, reason string) (map[string]string, error) {
	names := append([]string{"content-type", lower(o.DateHeader)}, mapped(o.SignedHeaders, lower)...)
	folded := mapped(names, hyphens)
	found := map[string]string{}
	for _, pair := range r.Headers {
		name, value := lower(pair.Name), trim(pair.Value)
		if contains(names, name) {
			if _, there := found[name]; there || hasControl(value, 0x80) {
				return nil, Refused{reason, name + " is there twice or holds a control character"}
			}
			found[name] = value
		} else if contains(folded, hyphens(name)) {
			return nil, Refused{reason, name + " would stand in for a signed header"} // CGI gives both one name
		}
	}
	return found, nil
}

func (o Options) signHeader(r Request, keyID, secret string, now Clock) (Signed, error) {
	date, err := dateText(now, o.DatePrecision == "milliseconds")
	if err != nil {
		return Signed{}, err
	}
	headers := []Pair{{o.DateHeader, date}}
	if r.values("content-type") == nil {
		headers = append(headers, Pair{"Content-Type", o.ContentType})
	}
	if contains(mapped(o.SignedHeaders, lower), "host") && r.values("host") == nil {
		_, host, known := strings.Cut(r.Origin, "://")
		if !known {
			return Signed{}, Refused{"cannot_sign", "Host is signed and not known"}
		}
		headers = append(headers, Pair{"Host", host})
	}
	text, err := o.stringToSign(r.with(headers))
	escaped := strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(keyID)
	headers = append(headers, Pair{"Authorization", o.Provider + " " + escaped + ":" + o.headerSignature(secret, text)})
	return Signed{Headers: headers, Target: r.Target, Body: r.Body, String: text}, err
}

func (o Options) credentials(r Request) (keyID, signature string, err error) {
	sent := r.values("authorization")
	claimed := false
	for _, value := range sent {
		claimed = claimed || value == o.Provider || strings.HasPrefix(value, o.Provider+" ")
	}
	if !claimed {
		return "", "", Refused{"missing", "no Authorization of this provider"}
	}
	malformed := Refused{"malformed", "Authorization is not there once in its one form"}
	rest := []byte(strings.TrimPrefix(sent[0], o.Provider+" "))
	if len(sent) > 1 || string(rest) == sent[0] {
		return "", "", malformed
	}
	var read []byte
	i := 0
	for ; i < len(rest) && rest[i] != ':'; i++ {
		if rest[i] == '\\' {
			i++
			if i == len(rest) || (rest[i] != '\\' && rest[i] != ':') {
				return "", "", malformed
			}
		}
		read = append(read, rest[i])
	}
	if i >= len(rest) || len(read) == 0 || !utf8.Valid(read) || hasControl(string(read), '\t') {
		return "", "", malformed
	}
	size := hashes[o.Algorithm]().Size()
	shape := fmt.Sprintf("^[A-Za-z0-9+/]{%d}={%d}$", (size*4+2)/3, (3-size%3)%3)
	signature = string(rest[i+1:])
	if !regexp.MustCompile(shape).MatchString(signature) {
		return "", "", malformed
	}
	return string(read), signature, nil
}

func (o Options) verifyHeader(r Request, keys map[string][]string, now Clock) (string, error) {
	keyID, sent, err := o.credentials(r)
	if err != nil {
		return "", err
	}
	found, err := o.covered(r, "malformed")
	if err != nil {
		return "", err
	}
	at, isDate := dateSeconds(found[lower(o.DateHeader)])
	if _, typed := found["content-type"]; !isDate || !typed || r.Method != upper(r.Method) {
		return "", Refused{"malformed", "no date in a form that is read, no Content-Type, or no upper-case method"}
	}
	if err := r.check(r.Target, "malformed"); err != nil {
		return "", err
	}
	if now.Second-at > o.Window.Past {
		return "", Refused{"stale", "too old"}
	}
	if at-now.Second > o.Window.Future {
		return "", Refused{"future", "too far ahead"}
	}
	secrets, err := secretsOf(keys, keyID)
	if err != nil {
		return "", err
	}
	text, err := o.stringToSign(r)
	for _, secret := range secrets {
		if err == nil && hmac.Equal([]byte(o.headerSignature(secret, text)), []byte(sent)) {
			return keyID, nil
		}
	}
	return "", Refused{"mismatch", "no secret fits"}
}

// Keyed timestamp: sig = hex(hash(key id + secret + seconds)), a parameter beside the key id; the time is not sent.

func (o Options) parameterSignature(keyID, secret string, second int64) string {
	digest := hashes[o.Algorithm]()
	digest.Write([]byte(keyID + secret + strconv.FormatInt(second, 10)))
	return hex.EncodeToString(digest.Sum(nil))
}

func (o Options) isSecure(r Request) bool {
	return o.AllowHTTP || strings.HasPrefix(lower(r.Origin), "https://")
}

func (o Options) accepts(version string) bool {
	return version == *o.Version || contains(o.Versions, version)
}

// The bytes of a name or value: + is a space, an escape that is none stays. url.QueryUnescape would refuse it.
func unescaped(wire string) string {
	var out []byte
	for i := 0; i < len(wire); i++ {
		if wire[i] == '%' && i+2 < len(wire) {
			if decoded, err := hex.DecodeString(wire[i+1 : i+3]); err == nil {
				out = append(out, decoded[0])
				i += 2
				continue
			}
		}
		if wire[i] == '+' {
			out = append(out, ' ')
		} else {
			out = append(out, wire[i])
		}
	}
	return string(out)
}

// Not url.QueryEscape, which writes a space as +.
func escaped(text string) string {
	var out strings.Builder
	for _, c := range []byte(text) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("-._~", c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

// The scheme's own parameters of a query or form, decoded. Not url.ParseQuery, which drops what it cannot read.
func (o Options) fields(encoded string) (found []Pair) {
	for _, part := range strings.Split(encoded, "&") {
		name, value, _ := strings.Cut(part, "=")
		name = unescaped(name)
		if name == o.KeyParam || name == o.SigParam || (o.VersionParam != nil && name == *o.VersionParam) {
			found = append(found, Pair{name, unescaped(value)})
		}
	}
	return found
}

func (o Options) places(r Request, body string) (query, inForm []Pair) {
	_, encoded, _ := strings.Cut(originForm(r.Target), "?")
	if r.hasMediaType(form) {
		inForm = o.fields(body)
	}
	return o.fields(encoded), inForm
}

// A query or form with pairs set in it: replaced in place or appended, all other bytes as they are.
func withFields(encoded string, pairs []Pair) string {
	for _, pair := range pairs {
		parts := strings.Split(encoded, "&")
		replaced := false
		for i, part := range parts {
			if name, _, _ := strings.Cut(part, "="); unescaped(name) == pair.Name {
				parts[i], replaced = name+"="+escaped(pair.Value), true
			}
		}
		written := escaped(pair.Name) + "=" + escaped(pair.Value)
		switch {
		case replaced:
			encoded = strings.Join(parts, "&")
		case encoded == "" || strings.HasSuffix(encoded, "&"):
			encoded += written
		default:
			encoded += "&" + written
		}
	}
	return encoded
}

func byName(pairs []Pair) map[string]string {
	found := map[string]string{}
	for _, pair := range pairs {
		found[pair.Name] = pair.Value
	}
	return found
}

func (o Options) signParameters(r Request, keyID, secret string, now Clock) (Signed, error) {
	refuse := func(detail string) (Signed, error) { return Signed{}, Refused{"cannot_sign", detail} }
	if strings.Contains(keyID, "\t") || (r.Origin != "" && !o.isSecure(r)) || !contains(o.Methods, upper(r.Method)) {
		return refuse("the key id holds a tab, plain http would show the signature, or the method is not signed")
	}
	var headers []Pair
	if o.Placement == "form" && !r.isForm() {
		if r.values("content-type") != nil || r.Body != "" || upper(r.Method) == "GET" {
			return refuse("the request is no form")
		}
		headers = []Pair{{"Content-Type", form}}
		r = r.with(headers)
	}
	inForm := o.Placement != "query" && r.isForm()
	here, there := o.places(r, r.Body)
	if inForm {
		here, there = there, here
	}
	found := byName(here)
	if len(there) > 0 || len(found) < len(here) {
		return refuse("a parameter stands in the other place, or is there twice")
	}
	pairs := []Pair{{o.KeyParam, keyID}, {o.SigParam, o.parameterSignature(keyID, secret, now.Second)}}
	if o.VersionParam != nil {
		if version, sent := found[*o.VersionParam]; !sent {
			pairs = append(pairs, Pair{*o.VersionParam, *o.Version})
		} else if !o.accepts(version) {
			return refuse("the version is not supported")
		}
	}
	text := keyID + "\x00" + strconv.FormatInt(now.Second, 10) // the secret goes where the NUL stands
	if inForm {
		return Signed{headers, nil, pairs, r.Target, withFields(r.Body, pairs), text}, nil
	}
	path, query, _ := strings.Cut(r.Target, "?")
	return Signed{headers, pairs, nil, path + "?" + withFields(query, pairs), r.Body, text}, nil
}

func (o Options) claim(r Request, body string) (keyID, signature string, err error) {
	query, inForm := o.places(r, body)
	sent := append(query, inForm...)
	found := byName(sent)
	signature, claimed := found[o.SigParam]
	if !claimed {
		return "", "", nil
	}
	if !o.isSecure(r) {
		return "", "", Refused{"insecure", "not over https"}
	}
	if err := r.check(r.Target, "malformed"); err != nil {
		return "", "", err
	}
	keyID = found[o.KeyParam]
	bad := !contains(o.Methods, r.Method) || (len(query) > 0 && len(inForm) > 0) || len(found) < len(sent) || keyID == "" || hasControl(keyID, 0x80)
	for _, value := range found {
		bad = bad || !utf8.ValidString(value)
	}
	digest, notHex := hex.DecodeString(signature)
	bad = bad || notHex != nil || len(digest) != hashes[o.Algorithm]().Size() || lower(signature) != signature
	if bad {
		return "", "", Refused{"malformed", "a parameter is absent, twice, in both places or not in its one form, or the method is not taken"}
	}
	if o.VersionParam != nil {
		if version, sent := found[*o.VersionParam]; !sent {
			return "", "", Refused{"malformed", "the version is absent"}
		} else if !o.accepts(version) {
			return "", "", Refused{"unsupported_version", "not served"}
		}
	}
	return keyID, signature, nil
}

func (o Options) verifyParameters(r Request, keys map[string][]string, now Clock) (string, error) {
	// The head first, so that what is wrong with it is found before a body is read.
	keyID, sent, err := o.claim(r, "")
	if err == nil && r.hasMediaType(form) {
		keyID, sent, err = o.claim(r, r.Body)
	}
	if err != nil {
		return "", err
	}
	if sent == "" {
		return "", Refused{"missing", "no signature parameter"}
	}
	secrets, err := secretsOf(keys, keyID)
	for _, secret := range secrets {
		for second := now.Second - o.Window.Past; second <= now.Second+o.Window.Future; second++ {
			if hmac.Equal([]byte(o.parameterSignature(keyID, secret, second)), []byte(sent)) {
				return keyID, nil
			}
		}
	}
	if err == nil {
		err = Refused{"mismatch", "no secret fits at any second of the window"}
	}
	return "", err
}

func options(scheme string, given json.RawMessage) (o Options, err error) {
	defaults, known := map[string]string{"gotom": gotom, "gogrid": gogrid}[scheme]
	if !known {
		return o, fmt.Errorf("there is no scheme %s", scheme)
	}
	if err = json.Unmarshal([]byte(defaults), &o); err != nil || given == nil {
		return o, err
	}
	decoder := json.NewDecoder(bytes.NewReader(given))
	decoder.DisallowUnknownFields()
	return o, decoder.Decode(&o)
}

// Sign says what to set on the request so that it is signed.
func Sign(scheme string, o Options, r Request, keyID, secret string, now Clock) (Signed, error) {
	if keyID == "" || secret == "" || !utf8.ValidString(keyID) || hasControl(keyID, '\t') {
		return Signed{}, Refused{"cannot_sign", "the key id or the secret is empty, or the key id is no clean text"}
	}
	if err := r.check(originForm(r.Target), "cannot_sign"); err != nil {
		return Signed{}, err
	}
	if scheme == "gotom" {
		return o.signHeader(r, keyID, secret, now)
	}
	return o.signParameters(r, keyID, secret, now)
}

// Verify gives the key id that the request verifies for.
func Verify(scheme string, o Options, r Request, keys map[string][]string, now Clock) (string, error) {
	r.Target = originForm(r.Target)
	if scheme == "gotom" {
		return o.verifyHeader(r, keys, now)
	}
	return o.verifyParameters(r, keys, now)
}

// The conformance protocol. Targets and headers have one character for each byte of the wire.

func toWire(text string) string {
	var out []byte
	for _, c := range text {
		out = append(out, byte(c))
	}
	return string(out)
}

func fromWire(wire string) string {
	out := make([]rune, len(wire))
	for i := range out {
		out[i] = rune(wire[i])
	}
	return string(out)
}

func pairsOf(pairs []Pair, f func(string) string) [][2]string {
	made := make([][2]string, len(pairs))
	for i, pair := range pairs {
		made[i] = [2]string{f(pair.Name), f(pair.Value)}
	}
	return made
}

func either(text, encoded string) string {
	if encoded == "" {
		return text
	}
	decoded, _ := base64.StdEncoding.DecodeString(encoded)
	return string(decoded)
}

func put(answer map[string]any, name, value string) {
	if utf8.ValidString(value) {
		answer[name] = value
	} else {
		answer[name+"_b64"] = base64.StdEncoding.EncodeToString([]byte(value))
	}
}

type command struct {
	Cmd, Op, Scheme string
	Seq             int
	Options         json.RawMessage
	Now             json.Number
	KeyID           string `json:"key_id"`
	Secret          string
	SecretB64       string `json:"secret_b64"`
	Keys            map[string][]json.RawMessage
	Request         struct {
		Method, Target, Body, Origin string
		BodyB64                      string `json:"body_b64"`
		Headers                      [][2]string
	}
}

func (c command) clock() Clock {
	exact, _ := new(big.Rat).SetString(string(c.Now))
	all := new(big.Rat).Mul(exact, big.NewRat(1000, 1))
	milliseconds := new(big.Int).Div(all.Num(), all.Denom()).Int64() // Div rounds down, below 0 too
	second := new(big.Int).Div(exact.Num(), exact.Denom()).Int64()
	return Clock{second, milliseconds - second*1000}
}

func (c command) answer() map[string]any {
	answer := map[string]any{"seq": c.Seq}
	o, err := options(c.Scheme, c.Options)
	if err != nil {
		answer["skipped"] = err.Error()
		return answer
	}
	r := Request{Method: toWire(c.Request.Method), Target: toWire(c.Request.Target), Origin: c.Request.Origin}
	r.Body = either(c.Request.Body, c.Request.BodyB64)
	for _, pair := range c.Request.Headers {
		r.Headers = append(r.Headers, Pair{toWire(pair[0]), toWire(pair[1])})
	}
	if c.Op == "sign" {
		signed, err := Sign(c.Scheme, o, r, c.KeyID, either(c.Secret, c.SecretB64), c.clock())
		if err != nil {
			answer["error"] = "cannot_sign"
			return answer
		}
		same := func(s string) string { return s }
		answer["patch"] = map[string]any{"headers": pairsOf(signed.Headers, fromWire), "query": pairsOf(signed.Query, same), "form": pairsOf(signed.Form, same)}
		answer["target"] = fromWire(signed.Target)
		put(answer, "string_to_sign", signed.String)
		if signed.Body != r.Body {
			put(answer, "body", signed.Body)
		}
		return answer
	}
	keys := map[string][]string{}
	for keyID, secrets := range c.Keys {
		for _, raw := range secrets {
			var text string
			var encoded struct {
				SecretB64 string `json:"secret_b64"`
			}
			if json.Unmarshal(raw, &text) != nil && json.Unmarshal(raw, &encoded) == nil {
				text = either("", encoded.SecretB64)
			}
			keys[keyID] = append(keys[keyID], text)
		}
	}
	keyID, err := Verify(c.Scheme, o, r, keys, c.clock())
	if refused, is := err.(Refused); is {
		answer["result"], answer["reason"] = "invalid", refused.Reason
	} else {
		answer["result"], answer["key_id"] = "valid", keyID
	}
	return answer
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var c command
		if json.Unmarshal(line, &c) != nil || c.Cmd == "stop" {
			return
		}
		if c.Cmd == "start" {
			implementation := map[string]string{"name": "port.go", "version": "1.0.0", "language": "Go"}
			answers.Encode(map[string]any{"implementation": implementation, "schemes": []string{"gotom", "gogrid"}, "ops": []string{"sign", "verify"}})
		} else {
			answers.Encode(c.answer())
		}
	}
}
