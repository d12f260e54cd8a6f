// The conformance protocol on standard input and output. SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"unicode/utf8"
)

// Targets and headers have one character for each byte of the wire.
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

// Bytes that are no UTF-8 are in base64, under a name of their own.
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

// A secret of the keys: text, or an object with bytes.
type secret string

func (s *secret) UnmarshalJSON(raw []byte) error {
	var encoded struct {
		SecretB64 string `json:"secret_b64"`
	}
	if raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(s))
	}
	err := json.Unmarshal(raw, &encoded)
	*s = secret(either("", encoded.SecretB64))
	return err
}

type command struct {
	Cmd, Op, Scheme string
	Seq             int
	Options, Recipe json.RawMessage
	Now             json.Number
	KeyID           string `json:"key_id"`
	Secret          string
	SecretB64       string `json:"secret_b64"`
	Nonce           string
	Extra           map[string]string
	Keys            map[string][]secret
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

func (c command) scheme() (Scheme, error) {
	if c.Recipe != nil {
		return NewRecipe(c.Recipe)
	}
	scheme, known := map[string]Scheme{"gotom": GoTom(), "gogrid": GoGrid()}[c.Scheme]
	if !known {
		return nil, fmt.Errorf("there is no scheme %s", c.Scheme)
	}
	decoder := json.NewDecoder(bytes.NewReader(c.Options))
	decoder.DisallowUnknownFields()
	return scheme, decoder.Decode(scheme)
}

func (c command) answer() map[string]any {
	scheme, err := c.scheme()
	if err != nil {
		return map[string]any{"seq": c.Seq, "skipped": err.Error()}
	}
	r := Request{Method: toWire(c.Request.Method), Target: toWire(c.Request.Target), Origin: c.Request.Origin}
	r.Body = either(c.Request.Body, c.Request.BodyB64)
	for _, pair := range c.Request.Headers {
		r.Headers = append(r.Headers, Pair{toWire(pair[0]), toWire(pair[1])})
	}
	if c.Op == "sign" {
		return c.signed(scheme, r)
	}
	keys := map[string][]string{}
	for keyID, secrets := range c.Keys {
		for _, each := range secrets {
			keys[keyID] = append(keys[keyID], string(each))
		}
	}
	keyID, err := Verify(scheme, r, keys, c.clock())
	if refused, is := err.(Refused); is {
		return map[string]any{"seq": c.Seq, "result": "invalid", "reason": refused.Reason}
	}
	return map[string]any{"seq": c.Seq, "result": "valid", "key_id": keyID}
}

func (c command) signed(scheme Scheme, r Request) map[string]any {
	signed, err := Sign(scheme, r, Credential{c.KeyID, either(c.Secret, c.SecretB64), c.Nonce, c.Extra}, c.clock())
	if err != nil {
		return map[string]any{"seq": c.Seq, "error": "cannot_sign"}
	}
	same := func(s string) string { return s }
	patch := map[string]any{"headers": pairsOf(signed.Headers, fromWire), "query": pairsOf(signed.Query, same), "form": pairsOf(signed.Form, same)}
	answer := map[string]any{"seq": c.Seq, "patch": patch, "target": fromWire(signed.Target)}
	put(answer, "string_to_sign", signed.String)
	if signed.Body != r.Body {
		put(answer, "body", signed.Body)
	}
	return answer
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	implementation := map[string]string{"name": "undersign-go", "version": "1.1.0", "language": "Go"}
	started := map[string]any{"implementation": implementation, "schemes": []string{"gotom", "gogrid"}, "ops": []string{"sign", "verify"}, "recipes": true}
	for {
		line, err := lines.ReadBytes('\n')
		var c command
		if err != nil || json.Unmarshal(line, &c) != nil || c.Cmd == "stop" {
			return
		}
		if c.Cmd == "start" {
			answers.Encode(started)
		} else {
			answers.Encode(c.answer())
		}
	}
}
