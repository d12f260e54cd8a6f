// The forms of a recipe's time: each is written from Unix time, and read back from its one spelling. SPDX-License-Identifier: MIT

package main

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A recipe's directives and the letters of Go's layouts.
var layouts = strings.NewReplacer("%Y", "2006", "%m", "01", "%d", "02", "%H", "15", "%M", "04", "%S", "05", "%b", "Jan", "%a", "Mon", "%%", "%")

var numbers = map[string]*regexp.Regexp{
	"unix":         regexp.MustCompile(`^(0|[1-9][0-9]{0,11})()$`),
	"unix-decimal": regexp.MustCompile(`^(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,9}))?$`),
	"unix-ms":      regexp.MustCompile(`^(0|[1-9][0-9]{0,14})()$`),
}

func writeTime(form string, at Clock) string {
	if numbers[form] != nil {
		refuseIf(at.Second < 0 || at.Second >= 1e12, "cannot_sign", "no Unix time")
	}
	switch form {
	case "unix", "unix-decimal":
		return strconv.FormatInt(at.Second, 10)
	case "unix-ms":
		return strconv.FormatInt(at.Second*1000+at.Millisecond, 10)
	case "iso", "iso-ms":
		return dateText(at, form == "iso-ms")
	case "http":
		form = "%a, %d %b %Y %H:%M:%S GMT"
	case "rfc2822":
		form = "%a, %d %b %Y %H:%M:%S -0000"
	}
	dateText(at, false) // which refuses what no date can say
	text := ""
	for _, part := range regexp.MustCompile(`%.|[^%]+`).FindAllString(form, -1) {
		if part[0] == '%' {
			part = time.Unix(at.Second, 0).UTC().Format(layouts.Replace(part))
		}
		text += part
	}
	return text
}

func readTime(form, text string) (at Clock, isTime bool) {
	if pattern := numbers[form]; pattern != nil {
		match := pattern.FindStringSubmatch(text)
		if match == nil {
			return at, false
		}
		number, _ := strconv.ParseInt(match[1], 10, 64)
		if form == "unix-ms" {
			return Clock{number / 1000, number % 1000}, true
		}
		milliseconds, _ := strconv.ParseInt((match[2] + "000")[:3], 10, 64)
		return Clock{number, milliseconds}, true
	}
	if strings.HasPrefix(form, "iso") || form == "http" || form == "rfc2822" {
		second, isDate := dateSeconds(text)
		return Clock{Second: second}, isDate
	}
	date, err := time.Parse(layouts.Replace(form), text)
	at = Clock{Second: date.Unix()}
	// What is read is what would be written, so other spellings and wrong weekdays are none.
	return at, err == nil && date.Year() > 0 && writeTime(form, at) == text
}
