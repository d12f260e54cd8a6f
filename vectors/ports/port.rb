# frozen_string_literal: true

# Signs and verifies HTTP requests: HTTP HMAC 1.0 (goTom) and keyed timestamps (GoGrid). Ruby 3.0 or later, nothing else.
#
#     require_relative "port"
#     request = Undersign::Request.new("GET", "/path?query", [["Content-Type", "application/json"]], "", "https://host")
#     gotom = Undersign::HeaderHmac.new                                          # Undersign::KeyedTimestamp.new for GoGrid
#     signed = Undersign.sign(gotom, request, "key id", "secret", Time.now.to_r) # signed.headers, …
#     key_id = Undersign.verify(gotom, request, { "key id" => ["secret"] }, Time.now.to_r)
#
# What cannot be signed or does not verify is raised as Refused with a reason. `ruby port.rb` speaks the conformance protocol.
#
# SPDX-License-Identifier: MIT

require "json"
require "openssl"

module Undersign
  FORM = "application/x-www-form-urlencoded"
  OVERRIDES = %w[x-http-method-override x-http-method x-method-override].freeze
  SIZES = { "md5" => 16, "sha1" => 20, "sha224" => 28, "sha256" => 32, "sha384" => 48, "sha512" => 64 }.freeze
  # \A and \z, since ^ and $ stand at every line; n for bytes.
  TOKEN = /\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\z/n
  TARGET = %r{\A/[!"$-~]*\z}n
  CONTROL = /[\x00-\x1f\x7f]/n
  CONTROL_BUT_TAB = /[\x00-\x08\x0a-\x1f\x7f]/n
  NOT_CLEAN = /[^ -~\x80-\xff]/n
  MONTHS = %w[Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec].freeze
  WEEKDAYS = %w[Thu Fri Sat Sun Mon Tue Wed].freeze # 1970 began on a Thursday

  class Refused < StandardError
    attr_reader :reason

    def initialize(reason, detail)
      super("#{reason}: #{detail}")
      @reason = reason
    end
  end

  Signed = Struct.new(:headers, :query, :form, :target, :body, :string)

  # A request as it is on the wire: all strings hold its bytes. Headers are pairs, in their order.
  Request = Struct.new(:method, :target, :headers, :body, :origin) do
    def values(name)
      headers.select { |key, _| Undersign.lower(key) == name }.map { |_, value| Undersign.trim(value) }
    end

    def media_type?(type)
      values("content-type").any? { |value| Undersign.lower(Undersign.trim(value.split(";", 2)[0] || "")) == type }
    end

    def with(changed)
      names = changed.map { |name, _| Undersign.lower(name) }
      kept = headers.reject { |name, _| names.include?(Undersign.lower(name)) }
      Request.new(method, target, kept + changed, body, origin)
    end

    def upper_method
      method.upcase(:ascii)
    end
  end

  module_function

  def lower(bytes)
    bytes.downcase(:ascii)
  end

  # Not strip, which takes NULs and line ends too.
  def trim(value)
    value.b.sub(/\A[ \t]+/n, "").sub(/[ \t]+\z/n, "")
  end

  def utf8?(bytes)
    bytes.dup.force_encoding("UTF-8").valid_encoding?
  end

  def origin_form(target)
    match = %r{\Ahttps?://[^/?#]*(.*)\z}nmi.match(target)
    return target unless match

    match[1].start_with?("/") ? match[1] : "/#{match[1]}"
  end

  # What no scheme signs or takes.
  def check(request, target, reason)
    raise Refused.new(reason, "the method is not a token") unless request.method.match?(TOKEN)
    raise Refused.new(reason, "the target is not path and query in printable ASCII without #") unless target.match?(TARGET)

    overridden = request.headers.any? { |name, _| OVERRIDES.include?(lower(name).tr("_", "-")) }
    raise Refused.new(reason, "the method is overridden") if overridden && request.upper_method == "POST"
  end

  # Days since 1970 of a date in the Gregorian calendar; Ruby's own Date is Julian before 1582.
  def days(year, month, day)
    year -= 1 if month <= 2
    era = year.div(400)
    of_era = year - era * 400
    of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
  end

  def date_text(now, milliseconds)
    second = now.floor
    raise Refused.new("cannot_sign", "no date says this time") unless second.between?(-62_135_596_800, 253_402_300_799)

    at = Time.at(second).utc
    fraction = milliseconds ? format(".%03d", ((now - second) * 1000).floor) : ""
    format("%04d-%02d-%02dT%02d:%02d:%02d%sZ", at.year, at.month, at.day, at.hour, at.min, at.sec, fraction)
  end

  DAY = "(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})"
  TIME = "(?<hour>[0-9]{2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:\\.[0-9]+)?)?"
  ZONE = "(?:Z|(?<sign>[+-])(?<zone_hour>[0-9]{2})(?::?(?<zone_minute>[0-9]{2}))?)"
  DATES = [
    "#{DAY}T#{TIME}#{ZONE}",
    "#{DAY} #{TIME}(?: UTC| ?#{ZONE})",
    "(?<year>[0-9]{4})(?<month>[0-9]{2})(?<day>[0-9]{2})T" \
    "(?<hour>[0-9]{2})(?<minute>[0-9]{2})(?<second>[0-9]{2})#{ZONE}",
    "(?:(?<weekday>[A-Z][a-z]{2}), )?(?<day>[0-9]{1,2}) (?<name>#{MONTHS.join('|')}) (?<year>[0-9]{4}) " \
    "(?<hour>[0-9]{2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2}))? " \
    "(?:GMT|UTC|(?<sign>[+-])(?<zone_hour>[0-9]{2})(?<zone_minute>[0-9]{2}))"
  ].map { |form| Regexp.new("\\A#{form}\\z", Regexp::FIXEDENCODING | Regexp::NOENCODING) }.freeze

  # Unix seconds of a date in one of the forms that are read, else nil. Not Time.parse, which takes words and other zones.
  def date_seconds(text)
    match = DATES.lazy.filter_map { |form| form.match(text) }.first
    return nil unless match

    found = match.named_captures
    number = ->(name) { found[name].to_i }
    month = found["name"] ? MONTHS.index(found["name"]) + 1 : number["month"]
    year, day = number["year"], number["day"]
    return nil unless year >= 1 && month.between?(1, 12) && number["hour"] <= 23 && number["zone_hour"] <= 23
    return nil unless [number["minute"], number["second"], number["zone_minute"]].max <= 59

    last = days(month == 12 ? year + 1 : year, month % 12 + 1, 1)
    at = days(year, month, day)
    return nil unless day >= 1 && at < last
    return nil if found["weekday"] && WEEKDAYS[at % 7] != found["weekday"]

    offset = (number["zone_hour"] * 3600 + number["zone_minute"] * 60) * (found["sign"] == "-" ? -1 : 1)
    at * 86_400 + number["hour"] * 3600 + number["minute"] * 60 + number["second"] - offset
  end

  # The bytes of a name or value: + is a space, an escape that is none stays.
  def unescaped(wire)
    wire.tr("+", " ").gsub(/%([0-9A-Fa-f]{2})/n) { [Regexp.last_match(1)].pack("H2") }
  end

  # Not CGI.escape, which writes a space as +.
  def escaped(text)
    text.b.gsub(/[^A-Za-z0-9._~-]/n) { |byte| format("%%%02X", byte.ord) }
  end

  # A query or form with pairs set in it: replaced in place or appended, all other bytes as they are.
  def with_fields(encoded, pairs)
    pairs.reduce(encoded.b) do |wire, (name, value)|
      parts = wire.split("&", -1)
      place = parts.index { |part| unescaped(part.split("=", 2)[0] || "") == name.b }
      if place
        parts[place] = "#{parts[place].split('=', 2)[0]}=#{escaped(value)}"
        parts.join("&")
      else
        wire + (wire.empty? || wire.end_with?("&") ? "" : "&") + "#{escaped(name)}=#{escaped(value)}"
      end
    end
  end

  # The parameters of these names in a query or form, decoded. Not URI.decode_www_form or Rack, which raise, rename and join.
  def fields(encoded, names)
    pairs = encoded.b.split("&").map { |part| part.split("=", 2).values_at(0, 1).map { |text| unescaped(text || "") } }
    pairs.select { |name, _| names.include?(name) }
  end

  def secrets_of(keys, key_id)
    secrets = keys.fetch(key_id, []).reject(&:empty?)
    raise Refused.new("unknown_key", "no secret is known") if secrets.empty?

    secrets
  end

  # HTTP HMAC 1.0: Authorization: <provider> <key id>:base64(HMAC(secret, string to sign))
  class HeaderHmac
    DEFAULTS = {
      "provider" => "gotom_app_api", "algorithm" => "sha1", "signed_headers" => [], "drop_blank_headers" => false,
      "content_type" => "application/json", "date_header" => "Date", "date_precision" => "seconds",
      "multipart_as_empty" => false, "window" => { "past" => 1800, "future" => 1800 }
    }.freeze

    def initialize(options = {})
      @options = DEFAULTS.merge(options)
      @signed = @options["signed_headers"].map { |name| Undersign.lower(name) }
      @date = Undersign.lower(@options["date_header"])
    end

    def string_to_sign(request)
      found = covered(request, "cannot_sign")
      empty = @options["multipart_as_empty"] && request.upper_method == "POST" && request.media_type?("multipart/form-data")
      custom = @options["signed_headers"].uniq.filter_map do |name|
        value = found[Undersign.lower(name)]
        blank = @options["drop_blank_headers"] && ["", "0"].include?(value)
        "#{Undersign.lower(name)}: ".b + value if value && !blank
      end
      body = OpenSSL::Digest.hexdigest("MD5", empty ? "" : request.body)
      content_type = Undersign.lower(found["content-type"])
      target = Undersign.origin_form(request.target)
      [request.upper_method, body, content_type, found[@date], custom.sort.join("\n"), target].map(&:b).join("\n")
    end

    def signature(secret, string)
      [OpenSSL::HMAC.digest(@options["algorithm"], secret, string)].pack("m0")
    end

    def sign(request, key_id, secret, now)
      headers = [[@options["date_header"], Undersign.date_text(now, @options["date_precision"] == "milliseconds")]]
      headers << ["Content-Type", @options["content_type"].b] if request.values("content-type").empty?
      if @signed.include?("host") && request.values("host").empty?
        raise Refused.new("cannot_sign", "Host is signed and not known") if request.origin.empty?

        headers << ["Host", request.origin.split("://", 2)[1]]
      end
      string = string_to_sign(request.with(headers))
      escaped = key_id.b.gsub(/[\\:]/n) { |mark| "\\#{mark}" }
      headers << ["Authorization", "#{@options['provider']} ".b + escaped + ":#{signature(secret, string)}"]
      Signed.new(headers, [], [], request.target, request.body, string)
    end

    def verify(request, keys, now)
      key_id, sent = credentials(request)
      found = covered(request, "malformed")
      at = Undersign.date_seconds(found.fetch(@date, ""))
      raise Refused.new("malformed", "no date in a form that is read, or no Content-Type") unless at && found["content-type"]

      Undersign.check(request, request.target, "malformed")
      raise Refused.new("malformed", "the method is not upper case") if request.method != request.upper_method

      age = now.floor - at
      raise Refused.new("stale", "too old") if age > @options["window"]["past"]
      raise Refused.new("future", "too far ahead") if -age > @options["window"]["future"]

      secrets = Undersign.secrets_of(keys, key_id)
      string = string_to_sign(request)
      fits = secrets.any? { |secret| OpenSSL.secure_compare(signature(secret, string), sent) }
      fits ? key_id : raise(Refused.new("mismatch", "no secret fits"))
    end

    private

    def credentials(request)
      provider = @options["provider"].b
      sent = request.values("authorization")
      unless sent.any? { |value| value == provider || value.start_with?("#{provider} ") }
        raise Refused.new("missing", "no Authorization of this provider")
      end

      size = SIZES[@options["algorithm"]]
      shape = "[A-Za-z0-9+/]{#{(size * 4 + 2) / 3}}={#{-size % 3}}"
      match = /\A((?:[^\\:]|\\[\\:])+):(#{shape})\z/nm.match(sent[0].byteslice(provider.bytesize + 1..) || "")
      raise Refused.new("malformed", "Authorization is not there once in its one form") if sent.size > 1 || !match

      key_id = match[1].gsub(/\\(.)/nm) { Regexp.last_match(1) }
      if !Undersign.utf8?(key_id) || key_id.match?(CONTROL_BUT_TAB)
        raise Refused.new("malformed", "the key id is not UTF-8 or holds a control character")
      end
      [key_id.force_encoding("UTF-8"), match[2]]
    end

    # The headers that are signed, by name in lower case, each there once and with a clean value.
    def covered(request, reason)
      names = ["content-type", @date, *@signed]
      folded = names.map { |name| name.tr("_", "-") }
      request.headers.each_with_object({}) do |(given, raw), found|
        name = Undersign.lower(given)
        if names.include?(name)
          value = Undersign.trim(raw)
          raise Refused.new(reason, "#{name} is there twice") if found.key?(name)
          raise Refused.new(reason, "#{name} holds a control character") if value.match?(NOT_CLEAN)

          found[name] = value
        elsif folded.include?(name.tr("_", "-"))
          raise Refused.new(reason, "#{name} would stand in for a signed header") # Rack gives both one name
        end
      end
    end
  end

  # Keyed timestamp: sig = hex(hash(key id + secret + seconds)), a parameter beside the key id; the time is not sent.
  class KeyedTimestamp
    DEFAULTS = {
      "key_param" => "api_key", "sig_param" => "sig", "version_param" => "v", "version" => "1.5",
      "versions" => (0..9).map { |minor| "1.#{minor}" }, "algorithm" => "md5", "placement" => "auto",
      "methods" => %w[GET POST], "allow_http" => false, "window" => { "past" => 600, "future" => 600 }
    }.freeze

    def initialize(options = {})
      @options = DEFAULTS.merge(options)
      @names = @options.values_at("key_param", "sig_param", "version_param").compact.map(&:b)
    end

    def signature(key_id, secret, second)
      OpenSSL::Digest.hexdigest(@options["algorithm"], key_id.b + secret.b + second.to_s)
    end

    def sign(request, key_id, secret, now)
      refuse = ->(detail) { raise Refused.new("cannot_sign", detail) }
      refuse["the key id holds a control character"] if key_id.b.match?(CONTROL)
      refuse["plain http shows the signature"] unless request.origin.empty? || secure?(request)
      refuse["the method is not signed"] unless @options["methods"].include?(request.upper_method)
      headers = []
      if @options["placement"] == "form" && !form?(request)
        typed = request.values("content-type").any? || !request.body.empty? || request.upper_method == "GET"
        refuse["the request is no form"] if typed
        headers = [["Content-Type", FORM]]
        request = request.with(headers)
      end
      in_form = @options["placement"] != "query" && form?(request)
      here, there = places(request, request.body)
      here, there = there, here if in_form
      names = here.map(&:first)
      refuse["a parameter stands in the other place, or is there twice"] if there.any? || names.uniq.size < names.size
      version = here.assoc(@options["version_param"]&.b)
      refuse["the version is not supported"] if version && !accepts?(version[1])
      second = now.floor
      pairs = [[@options["key_param"], key_id], [@options["sig_param"], signature(key_id, secret, second)]]
      pairs << [@options["version_param"], @options["version"]] if @options["version_param"] && !version
      string = key_id.b + "\0#{second}".b # the secret goes where the NUL stands
      return Signed.new(headers, [], pairs, request.target, Undersign.with_fields(request.body, pairs), string) if in_form

      path, query = request.target.split("?", 2)
      Signed.new(headers, pairs, [], "#{path}?#{Undersign.with_fields(query || '', pairs)}", request.body, string)
    end

    def verify(request, keys, now)
      # The head first, so that what is wrong with it is found before a body is read.
      claim = claimed(request, "")
      claim = claimed(request, request.body) if request.media_type?(FORM)
      raise Refused.new("missing", "no signature parameter") unless claim

      key_id, sent = claim
      window = @options["window"]
      Undersign.secrets_of(keys, key_id).each do |secret|
        (now.floor - window["past"]..now.floor + window["future"]).each do |second|
          return key_id if OpenSSL.secure_compare(signature(key_id, secret, second), sent)
        end
      end
      raise Refused.new("mismatch", "no secret fits at any second of the window")
    end

    private

    def claimed(request, body)
      query, form = places(request, body)
      sent = query + form
      return nil unless sent.assoc(@options["sig_param"].b)
      raise Refused.new("insecure", "not over https") unless secure?(request)

      Undersign.check(request, request.target, "malformed")
      malformed = ->(detail) { raise Refused.new("malformed", detail) }
      malformed["the method is not taken"] unless @options["methods"].include?(request.method)
      found = sent.to_h
      malformed["parameters stand in both places, or one is there twice"] if (query.any? && form.any?) || found.size < sent.size
      malformed["a parameter is not UTF-8"] unless found.values.all? { |value| Undersign.utf8?(value) }
      key_id = found.fetch(@options["key_param"].b, "")
      malformed["the key id is absent, empty or holds a control character"] if key_id.empty? || key_id.match?(CONTROL)
      signature = found[@options["sig_param"].b]
      size = 2 * SIZES[@options["algorithm"]]
      malformed["the signature is not lower-case hex of its length"] unless signature.match?(/\A[0-9a-f]{#{size}}\z/n)
      if @options["version_param"]
        version = found[@options["version_param"].b] || malformed["the version is absent"]
        raise Refused.new("unsupported_version", "not served") unless accepts?(version)
      end
      [key_id.dup.force_encoding("UTF-8"), signature]
    end

    def secure?(request)
      @options["allow_http"] || Undersign.lower(request.origin).start_with?("https://")
    end

    def form?(request)
      request.upper_method != "GET" && request.media_type?(FORM)
    end

    def accepts?(version)
      [@options["version"], *@options["versions"]].map(&:b).include?(version.b)
    end

    # The scheme's own parameters in query and form.
    def places(request, body)
      query = Undersign.origin_form(request.target).split("?", 2)[1] || ""
      [query, request.media_type?(FORM) ? body : ""].map { |encoded| Undersign.fields(encoded, @names) }
    end
  end

  # What to set on the request so that it is signed, the target and body it then has, and the string that was signed.
  def sign(scheme, request, key_id, secret, now, **more)
    if key_id.empty? || secret.empty? || !utf8?(key_id) || key_id.b.match?(CONTROL_BUT_TAB)
      raise Refused.new("cannot_sign", "the key id or the secret is empty, or the key id is no clean text")
    end
    check(request, origin_form(request.target), "cannot_sign")
    scheme.sign(request, key_id, secret, now, **more)
  end

  # The key id that the request verifies for.
  def verify(scheme, request, keys, now)
    reduced = request.dup
    reduced.target = origin_form(request.target)
    scheme.verify(reduced, keys, now)
  end

  # The conformance protocol. Targets and headers have one character for each byte of the wire.
  module Protocol
    module_function

    def to_wire(text)
      text.encode("ISO-8859-1").b
    rescue EncodingError
      text.b # a character that is no byte, which nothing takes
    end

    def from_wire(bytes)
      bytes.dup.force_encoding("ISO-8859-1").encode("UTF-8")
    end

    def bytes(holder, name)
      (holder[name] || (holder["#{name}_b64"] || "").unpack1("m")).b
    end

    def text(name, bytes)
      Undersign.utf8?(bytes) ? { name => bytes.dup.force_encoding("UTF-8") } : { "#{name}_b64" => [bytes].pack("m0") }
    end

    SCHEMES = { "gotom" => HeaderHmac, "gogrid" => KeyedTimestamp }.freeze

    def started
      implementation = { "name" => File.basename($PROGRAM_NAME), "version" => "1.1.0", "language" => "Ruby" }
      { "implementation" => implementation, "schemes" => SCHEMES.keys, "ops" => %w[sign verify] }
    end

    # The scheme of a command; nil where there is none.
    def scheme_of(command)
      kind = SCHEMES[command["scheme"]]
      kind&.new(command["options"]) if kind && (command["options"].keys - kind::DEFAULTS.keys).empty?
    end

    def run(command)
      scheme = scheme_of(command)
      return { "skipped" => "there is no such scheme or option" } unless scheme

      given = command["request"]
      headers = given["headers"].map { |pair| pair.map { |text| to_wire(text) } }
      request = Request.new(to_wire(given["method"]), to_wire(given["target"]), headers, bytes(given, "body"), given["origin"] || "")
      command["op"] == "sign" ? signed(scheme, command, request) : verified(scheme, command, request)
    rescue Refused => e
      command["op"] == "sign" ? { "error" => "cannot_sign" } : { "result" => "invalid", "reason" => e.reason }
    end

    def signed(scheme, command, request)
      more = command.slice("nonce", "extra").transform_keys(&:to_sym)
      signed = Undersign.sign(scheme, request, command["key_id"], bytes(command, "secret"), command["now"], **more)
      patch = { "headers" => signed.headers.map { |pair| pair.map { |text| from_wire(text) } }, "query" => signed.query, "form" => signed.form }
      body = signed.body == request.body ? {} : text("body", signed.body)
      { "patch" => patch, "target" => from_wire(signed.target), **body, **text("string_to_sign", signed.string) }
    end

    def verified(scheme, command, request)
      secret = ->(entry) { entry.is_a?(Hash) ? bytes(entry, "secret") : entry.b }
      keys = command["keys"].transform_values { |secrets| secrets.map(&secret) }
      { "result" => "valid", "key_id" => Undersign.verify(scheme, request, keys, command["now"]) }
    end

    def serve
      $stdin.each_line do |line|
        command = JSON.parse(line, decimal_class: nil)
        break if command["cmd"] == "stop"

        command["now"] = Rational(command["now"].to_s) if command.key?("now")
        answer = command["cmd"] == "run" ? { "seq" => command["seq"], **run(command) } : started
        $stdout.puts(JSON.generate(answer))
        $stdout.flush
      end
    end
  end
end

Undersign::Protocol.serve if $PROGRAM_NAME == __FILE__
