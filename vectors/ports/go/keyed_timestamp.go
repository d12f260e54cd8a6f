// Keyed timestamps, of which GoGrid's is one. SPDX-License-Identifier: MIT

package main

import (
	"crypto/hmac"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

// KeyedTimestamp is sig = hex(hash(key id + secret + seconds)), a parameter beside the key id; the time is not sent.
type KeyedTimestamp struct {
	KeyParam     string   `json:"key_param"`
	SigParam     string   `json:"sig_param"`
	VersionParam *string  `json:"version_param"`
	Version      *string  `json:"version"`
	Versions     []string `json:"versions"`
	Algorithm    string   `json:"algorithm"`
	Placement    string   `json:"placement"`
	Methods      []string `json:"methods"`
	AllowHTTP    bool     `json:"allow_http"`
	Window       Window   `json:"window"`
}

// GoGrid is GoGrid's.
func GoGrid() *KeyedTimestamp {
	param, version, versions := "v", "1.5", strings.Fields("1.0 1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 1.9")
	return &KeyedTimestamp{KeyParam: "api_key", SigParam: "sig", VersionParam: &param, Version: &version, Versions: versions,
		Algorithm: "md5", Placement: "auto", Methods: []string{"GET", "POST"}, Window: Window{600, 600}}
}

func (k *KeyedTimestamp) signature(keyID, secret string, second int64) string {
	digest := hashes[k.Algorithm]()
	digest.Write([]byte(keyID + secret + strconv.FormatInt(second, 10)))
	return hex.EncodeToString(digest.Sum(nil))
}

func (k *KeyedTimestamp) accepts(version string) bool {
	return version == *k.Version || contains(k.Versions, version)
}

func (k *KeyedTimestamp) places(r Request, body string) (query, inForm []Pair) {
	names := []string{k.KeyParam, k.SigParam}
	if k.VersionParam != nil {
		names = append(names, *k.VersionParam)
	}
	_, encoded, _ := strings.Cut(originForm(r.Target), "?")
	if r.hasMediaType(form) {
		inForm = fields(body, names)
	}
	return fields(encoded, names), inForm
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
		if !replaced && parts[len(parts)-1] == "" { // nothing, or what ends in &
			parts = parts[:len(parts)-1]
		}
		if !replaced {
			parts = append(parts, escaped(pair.Name)+"="+escaped(pair.Value))
		}
		encoded = strings.Join(parts, "&")
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

func (k *KeyedTimestamp) sign(r Request, c Credential, now Clock) Signed {
	refuse := func(wrong bool, detail string) { refuseIf(wrong, "cannot_sign", detail) }
	refuse(strings.Contains(c.KeyID, "\t"), "the key id holds a tab")
	refuse(r.Origin != "" && !r.isSecure() && !k.AllowHTTP, "plain http shows the signature")
	refuse(!contains(k.Methods, upper(r.Method)), "the method is not signed")
	var headers []Pair
	if k.Placement == "form" && !r.isForm() {
		refuse(r.values("content-type") != nil || r.Body != "" || upper(r.Method) == "GET", "the request is no form")
		headers = []Pair{{"Content-Type", form}}
		r = r.with(headers)
	}
	inForm := k.Placement != "query" && r.isForm()
	here, there := k.places(r, r.Body)
	if inForm {
		here, there = there, here
	}
	found := byName(here)
	refuse(len(there) > 0 || len(found) < len(here), "a parameter stands in the other place, or is there twice")
	pairs := []Pair{{k.KeyParam, c.KeyID}, {k.SigParam, k.signature(c.KeyID, c.Secret, now.Second)}}
	if k.VersionParam != nil {
		version, sent := found[*k.VersionParam]
		refuse(sent && !k.accepts(version), "the version is not supported")
		if !sent {
			pairs = append(pairs, Pair{*k.VersionParam, *k.Version})
		}
	}
	text := c.KeyID + "\x00" + strconv.FormatInt(now.Second, 10) // the secret goes where the NUL stands
	if inForm {
		return Signed{headers, nil, pairs, r.Target, withFields(r.Body, pairs), text}
	}
	path, query, _ := strings.Cut(r.Target, "?")
	return Signed{headers, pairs, nil, path + "?" + withFields(query, pairs), r.Body, text}
}

func (k *KeyedTimestamp) claim(r Request, body string) (keyID, signature string) {
	query, inForm := k.places(r, body)
	sent := append(query, inForm...)
	found := byName(sent)
	signature, claimed := found[k.SigParam]
	if !claimed {
		return "", ""
	}
	malformed := func(wrong bool, detail string) { refuseIf(wrong, "malformed", detail) }
	refuseIf(!k.AllowHTTP && !r.isSecure(), "insecure", "not over https")
	r.check(r.Target, "malformed")
	keyID = found[k.KeyParam]
	malformed(!contains(k.Methods, r.Method), "the method is not taken")
	malformed((len(query) > 0 && len(inForm) > 0) || len(found) < len(sent), "parameters stand in both places, or one is there twice")
	malformed(keyID == "" || hasControl(keyID, 0x80), "the key id is absent, empty or holds a control character")
	for _, value := range found {
		malformed(!utf8.ValidString(value), "a parameter is not UTF-8")
	}
	digest, err := hex.DecodeString(signature)
	malformed(err != nil || len(digest) != hashes[k.Algorithm]().Size() || lower(signature) != signature, "the signature is not lower-case hex of its length")
	if k.VersionParam != nil {
		version, there := found[*k.VersionParam]
		malformed(!there, "the version is absent")
		refuseIf(!k.accepts(version), "unsupported_version", "not served")
	}
	return keyID, signature
}

func (k *KeyedTimestamp) verify(r Request, keys map[string][]string, now Clock) string {
	// The head first, so that what is wrong with it is found before a body is read.
	keyID, sent := k.claim(r, "")
	if r.hasMediaType(form) {
		keyID, sent = k.claim(r, r.Body)
	}
	refuseIf(sent == "", "missing", "no signature parameter")
	for _, secret := range secretsOf(keys, keyID) {
		for second := now.Second - k.Window.Past; second <= now.Second+k.Window.Future; second++ {
			if hmac.Equal([]byte(k.signature(keyID, secret, second)), []byte(sent)) {
				return keyID
			}
		}
	}
	panic(Refused{"mismatch", "no secret fits at any second of the window"})
}
