// Signing by a recipe, and what its carriers say of a request. SPDX-License-Identifier: MIT

package main

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	number    = regexp.MustCompile(`^[0-9]{1,20}$`)
	likeAForm = regexp.MustCompile(`^(?:[^\x00-\x20"'{}\[\]\\=&\x7f]+=[^\x00-\x20"{}\\\x7f]*)?$`)
)

func (r *Recipe) sign(request Request, c Credential, now Clock) Signed {
	refuse := func(wrong bool, detail string) { refuseIf(wrong, "cannot_sign", detail) }
	key := r.key(c.Secret)
	refuse(key == "", "the secret is not in its form")
	refuse(!r.AllowHTTP && request.Origin != "" && !request.isSecure(), "plain http shows the signature")
	refuse(r.Methods != nil && !contains(r.Methods, upper(request.Method)), "the method is not signed")
	values := map[string]string{"key_id": c.KeyID, "nonce": c.Nonce}
	for name, value := range c.Extra {
		values["extra."+name] = value
	}
	r.checkValues(values)
	at := Clock{Second: now.Second}
	if r.sends("time") {
		values["time"] = writeTime(r.Time, now)
		at, _ = readTime(r.Time, values["time"])
	}
	added := r.contentType(request)
	request = request.with(added)
	inForm := r.place == "form" || (r.place == "query-or-form" && request.isForm())
	r.checkPlaces(request, inForm)
	r.compute(request, values)
	sent := map[string]string{}
	for name, value := range values {
		sent[name] = value
	}
	for _, c := range r.carriers() {
		for _, p := range c.pieces {
			if p.mac {
				sent[p.name] = r.signature(key, values[p.name])
			}
		}
	}
	headers, set := r.written(sent, false)
	shown, text := r.strings(context{setOn(request, headers, set, inForm), values, at, "cannot_sign", r}, key)
	sent["signature"] = r.signature(key, text)
	headers, set = r.written(sent, true)
	done := setOn(request, headers, set, inForm)
	signed := Signed{Headers: append(headers, added...), Query: set, Target: done.Target, Body: done.Body, String: shown}
	if inForm {
		signed.Query, signed.Form = nil, set
	}
	return signed
}

func (r *Recipe) checkValues(values map[string]string) {
	for _, c := range r.carriers() {
		for _, p := range c.pieces {
			needed := (p.name == "nonce" && r.Nonce != "optional") || strings.HasPrefix(p.name, "extra.")
			refuseIf(needed && values[p.name] == "" && !p.optional, "cannot_sign", p.name+" is needed")
		}
	}
	for name, value := range values {
		refuseIf(hasControl(value, 0x80), "cannot_sign", name+" holds a control character")
	}
	refuseIf(r.Nonce == "number" && !number.MatchString(values["nonce"]), "cannot_sign", "the nonce is no number")
}

// The Content-Type that a request gets.
func (r *Recipe) contentType(request Request) []Pair {
	typed := request.values("content-type") != nil
	if r.place == "form" {
		fits := request.isForm() || (!typed && upper(request.Method) != "GET" && likeAForm.MatchString(request.Body))
		refuseIf(!fits, "cannot_sign", "the request is no form")
		if request.isForm() {
			return nil
		}
		return []Pair{{"Content-Type", form}}
	}
	noForm := r.place == "query-or-form" && !(likeAForm.MatchString(request.Body) && request.Body != "")
	if r.ContentType == nil || typed || (noForm && *r.ContentType == form) {
		return nil
	}
	return []Pair{{"Content-Type", *r.ContentType}}
}

func (r *Recipe) checkPlaces(request Request, inForm bool) {
	for _, c := range r.headers {
		for _, pair := range spellings(request, c.name) {
			refuseIf(lower(pair.Name) != lower(c.name), "cannot_sign", pair.Name+" would stand in for "+c.name)
		}
	}
	here, there := r.places(request)
	if inForm {
		here, there = there, here
	}
	refuseIf(len(there) > 0, "cannot_sign", "a parameter stands in the other place")
	refuseIf(len(byName(here)) < len(here), "cannot_sign", "a parameter is there twice")
	hidden := r.fields != nil && r.place != "query" && isCompressedForm(request)
	refuseIf(hidden, "cannot_sign", "a Content-Encoding hides the form")
}

// What carriers say of the request itself.
func (r *Recipe) compute(request Request, values map[string]string) {
	var drafted []string
	for _, c := range r.carriers() {
		for _, p := range c.pieces {
			if strings.HasPrefix(p.name, "body:") && !(p.optional && request.Body == "") {
				values[p.name] = bodyDigest(p.name, request.Body)
			}
		}
	}
	for _, c := range r.headers {
		if !c.leftOut(values) {
			drafted = append(drafted, lower(c.name))
		}
	}
	values["headers"] = r.namesThere(request, drafted)
	for _, c := range r.headers {
		refuseIf(c.leftOut(values) && request.values(lower(c.name)) != nil, "cannot_sign", "nothing goes into "+c.name)
	}
}

// Headers and parameters to set: all but the signature, or all.
func (r *Recipe) written(values map[string]string, signed bool) (headers, set []Pair) {
	for i, c := range r.carriers() {
		if c.leftOut(values) || (!signed && c.holds("signature")) {
			continue
		}
		pair := Pair{c.name, c.write(values)}
		if i < len(r.headers) {
			headers = append(headers, pair)
		} else {
			set = append(set, pair)
		}
	}
	return headers, set
}

func setOn(r Request, headers, set []Pair, inForm bool) Request {
	r = r.with(headers)
	path, query, _ := strings.Cut(r.Target, "?")
	switch {
	case set == nil:
	case inForm:
		r.Body = withFields(r.Body, set)
	default:
		r.Target = path + "?" + withFields(query, set)
	}
	return r
}

func isCompressedForm(r Request) bool {
	for _, encoding := range r.values("content-encoding") {
		if lower(encoding) != "identity" && encoding != "" {
			return r.hasMediaType(form)
		}
	}
	return false
}

// Puts what the carriers say into values; what is wrong with them, if anything.
func (r *Recipe) readCarriers(request Request, values map[string]string) (problem string) {
	query, inForm := r.places(request)
	if r.signed != nil {
		found := spellings(request, r.signedName)
		sent := request.values(r.signedName)
		if len(found) != 1 || len(sent) != 1 || !r.signed.read(sent[0], values) {
			refuseIf(!r.claims(sent), "missing", "no signature")
			return "the signature is not there once in its one form"
		}
		toCome := r.fields != nil && len(query)+len(inForm) == 0 && request.Body == "" && r.place != "query" && request.hasMediaType(form)
		refuseIf(toCome, "missing", "the form is still to come")
	} else {
		name := ""
		for _, c := range r.fields {
			if c.holds("signature") {
				name = c.name
			}
		}
		_, there := byName(append(append([]Pair{}, query...), inForm...))[name]
		refuseIf(!there, "missing", "no signature")
	}
	if problem = r.readFields(request, query, inForm, values); problem == "" {
		problem = r.readHeaders(request, values)
	}
	return problem
}

// Whether a header that cannot be read is meant for this scheme.
func (r *Recipe) claims(sent []string) bool {
	word, _, spaced := strings.Cut(r.signed.literal(), " ")
	for _, value := range sent {
		switch {
		case r.signed.inside != nil:
			if r.signed.read(value, map[string]string{}) {
				return true
			}
		case r.signedName != "authorization":
			return true
		case spaced && word != "":
			if strings.HasPrefix(value+" ", word+" ") {
				return true
			}
		default:
			return !strings.Contains(value, " ")
		}
	}
	return false
}

func (r *Recipe) readFields(request Request, query, inForm []Pair, values map[string]string) string {
	if r.fields == nil {
		return ""
	}
	pairs := append(append([]Pair{}, query...), inForm...)
	found := byName(pairs)
	switch {
	case r.place != "query" && isCompressedForm(request):
		return "a Content-Encoding hides the form"
	case len(query) > 0 && len(inForm) > 0 || len(found) < len(pairs):
		return "parameters stand in both places, or one is there twice"
	}
	for _, value := range found {
		if !utf8.ValidString(value) {
			return "a parameter is not UTF-8"
		}
	}
	if named, there := found[r.KeyIDParam]; there && r.KeyIDParam != "" {
		values["key_id_param"] = named
	}
	for _, c := range r.fields {
		sent, there := found[c.name]
		if !there && c.mayBeAbsent() {
			for _, name := range c.names {
				values[name] = ""
			}
		} else if !c.read(sent, values) {
			return "the parameter " + c.name + " is absent or not in its form"
		}
	}
	return ""
}

func (r *Recipe) readHeaders(request Request, values map[string]string) (problem string) {
	defer func() { // of a header that is there twice, or not clean
		if refused, is := recover().(Refused); is {
			problem = refused.Detail
		}
	}()
	for _, c := range r.headers {
		if c.template == r.signed {
			continue
		}
		sent, there := context{r: request}.lone(c.name)
		if (!there && c.mayBeAbsent()) || (sent == "" && len(c.optional()) > 0) {
			for _, name := range c.names {
				values[name] = ""
			}
		} else if (!there && !c.empty) || !c.read(sent, values) {
			return "the header " + c.name + " is absent or not in its form"
		}
	}
	return ""
}
