// The dates of HTTP HMAC 1.0. SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

func dateText(now Clock, milliseconds bool) string {
	refuseIf(now.Second < -62135596800 || now.Second > 253402300799, "cannot_sign", "no date says this time")
	text := time.Unix(now.Second, 0).UTC().Format("2006-01-02T15:04:05")
	if milliseconds {
		text += fmt.Sprintf(".%03d", now.Millisecond)
	}
	return text + "Z"
}

// The ranges are in the pattern, since time.Parse takes any offset.
const zone = `(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)`

// The forms that are read: weekday, day, hours and minutes, seconds, zone; and how time.Parse reads them, spaces between.
var dates = []struct {
	pattern *regexp.Regexp
	layout  string
}{
	{regexp.MustCompile(`^()(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?:(:\d\d)(?:\.\d+)?)?(` + zone + `)$`), "2006-01-02 15:04:05 -0700"},
	{regexp.MustCompile(`^()(\d{4}-\d\d-\d\d) (\d\d:\d\d)(?:(:\d\d)(?:\.\d+)?)?( UTC| ?` + zone + `)$`), "2006-01-02 15:04:05 -0700"},
	{regexp.MustCompile(`^()(\d{8})T(\d{4})(\d\d)(` + zone + `)$`), "20060102 150405 -0700"},
	{regexp.MustCompile(`^(?:([A-Z][a-z]{2}), )?(\d{1,2} [A-Z][a-z]{2} \d{4}) (\d\d:\d\d)(:\d\d)? (GMT|UTC|[+-](?:[01]\d|2[0-3])[0-5]\d)$`), "2 Jan 2006 15:04:05 -0700"},
}

// Unix seconds of a date in a form that is read. Not time.Parse alone, which takes more: commas, hours of one digit, names of
// months in any case, any weekday.
func dateSeconds(text string) (at int64, isDate bool) {
	for _, form := range dates {
		match := form.pattern.FindStringSubmatch(text)
		if match == nil {
			continue
		}
		weekday, seconds, offset := match[1], match[4], strings.ReplaceAll(strings.TrimSpace(match[5]), ":", "")
		if seconds == "" {
			seconds = ":00"
		}
		switch {
		case offset == "Z" || offset == "GMT" || offset == "UTC":
			offset = "+0000"
		case len(offset) == 3:
			offset += "00"
		}
		date, err := time.Parse(form.layout, match[2]+" "+match[3]+seconds+" "+offset)
		return date.Unix(), err == nil && date.Year() > 0 && (weekday == "" || weekday == date.Format("Mon"))
	}
	return 0, false
}
