# frozen_string_literal: true

# What recipes are made of: forms of times, templates of what carries credentials, and parts of what is signed. For recipe.rb,
# which reads them and speaks the conformance protocol.
#
# SPDX-License-Identifier: MIT

require_relative "port"

module Undersign
  # What a recipe says that this reader does not know.
  class Unknown < StandardError; end

  # The forms of a time: each is written from Unix seconds, and read back from its one spelling.
  module Times
    NAMED = %w[unix unix-decimal unix-ms iso iso-ms http rfc2822].freeze
    DIGITS = { "Y" => 4, "m" => 2, "d" => 2, "H" => 2, "M" => 2, "S" => 2 }.freeze

    module_function

    def write(form, at)
      case form
      when "unix", "unix-decimal" then whole(at).to_s
      when "unix-ms" then whole(at * 1000).to_s
      when "iso", "iso-ms" then Undersign.date_text(at, form == "iso-ms")
      when "http" then pattern("%a, %d %b %Y %H:%M:%S GMT", at)
      when "rfc2822" then pattern("%a, %d %b %Y %H:%M:%S -0000", at)
      else pattern(form, at)
      end
    end

    def read(form, text)
      case form
      when "unix" then text.match?(/\A(?:0|[1-9][0-9]{0,11})\z/n) && text.to_r
      when "unix-decimal" then text.match?(/\A(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,9})?\z/n) && text.to_r
      when "unix-ms" then text.match?(/\A(?:0|[1-9][0-9]{0,14})\z/n) && text.to_r / 1000
      when *NAMED then Undersign.date_seconds(text)
      else read_pattern(form, text)
      end
    end

    def whole(number)
      raise Refused.new("cannot_sign", "no Unix time") unless number.floor.between?(0, 10**15 - 1)

      number.floor
    end

    def pattern(form, at)
      Undersign.date_text(at, false) # which refuses what no date can say
      Time.at(at.floor).utc.strftime(form)
    end

    # What is read is what would be written, so days that there are not, and wrong weekdays, are refused.
    def read_pattern(form, text)
      expression = Regexp.escape(form).gsub(/%([A-Za-z%])/) do |directive|
        letter = Regexp.last_match(1)
        next "%" if letter == "%"

        "(?<#{letter}>#{DIGITS[letter] ? "[0-9]{#{DIGITS[letter]}}" : '[A-Z][a-z]{2}'})"
      end
      found = Regexp.new("\\A#{expression}\\z").match(text.b)&.named_captures
      month = found && (found["m"] ? found["m"].to_i : MONTHS.index(found["b"]).to_i + 1)
      return nil unless found && month.between?(1, 12) && found["Y"].to_i >= 1

      hours, minutes, seconds = found.values_at("H", "M", "S").map(&:to_i)
      at = Undersign.days(found["Y"].to_i, month, found["d"].to_i) * 86_400 + hours * 3600 + minutes * 60 + seconds
      at if pattern(form, at) == text
    end
  end

  # What carries credentials: "EAN APIKey={key_id},Signature={signature}". A value ends where the text behind it begins.
  class Template
    attr_reader :names, :optional, :literal

    BASIC = "{key_id}:{signature}"

    def initialize(text, patterns, empty = [])
      @pieces = text.scan(/\{\{|\}\}|\{[^{}]+\}|[^{}]+/).map { |piece| piece.match?(/\A\{[^{]/) ? piece[1..-2].to_sym : piece.sub(/\A([{}])\1\z/, '\1') }
      @written = @pieces.grep(Symbol).map { |piece| piece.to_s.delete_suffix("?").delete_prefix("mac:") }
      @optional = @pieces.grep(Symbol).map(&:to_s).select { |name| name.end_with?("?") }.map { |name| name.delete_suffix("?") }
      @mac = @pieces.grep(Symbol).map(&:to_s).filter_map { |name| name.delete_prefix("mac:") if name.start_with?("mac:") }
      @inside = Template.new(BASIC, patterns) if @written.include?("basic")
      @names = @written.flat_map { |name| name == "basic" ? %w[key_id signature] : [name] }
      @literal = @pieces[0].is_a?(String) ? @pieces[0] : ""
      @may_be_empty = (empty & @names).any?
      @expression = expression(patterns.merge("basic" => "[A-Za-z0-9+/]+={0,2}"))
    end

    def mac?(name)
      @mac.include?(name)
    end

    def basic?
      !@inside.nil?
    end

    def may_be_absent?
      @optional.any? || @names.any? { |name| name.start_with?("body:") }
    end

    def may_be_empty?
      @may_be_empty
    end

    def left_out?(values)
      @optional.any? { |name| values[name].to_s.empty? }
    end

    def write(values)
      values = values.merge("basic" => [@inside.write(values)].pack("m0")) if @inside
      pieces = @pieces.grep(Symbol).zip(@written).to_h
      text = @pieces.map { |piece| piece.is_a?(Symbol) ? values[pieces[piece]].to_s.b : piece.b }.join
      raise Refused.new("cannot_sign", "a value holds what ends it, or is empty") unless text.match?(@expression)

      text
    end

    # The values in a text, by name; nil where it is not of this template.
    def read(text)
      match = @expression.match(text.b)
      return nil unless match

      values = @written.zip(match.captures).to_h
      return values unless @inside

      sent = values.delete("basic")
      decoded = sent.unpack1("m")
      inside = @inside.read(decoded) if [decoded].pack("m0") == sent
      inside && values.merge(inside)
    end

    private

    def expression(patterns)
      source = @pieces.each_with_index.map do |piece, place|
        next Regexp.escape(piece) if piece.is_a?(String)

        name = piece.to_s.delete_suffix("?").delete_prefix("mac:")
        behind = @pieces[place + 1]
        "(#{patterns[name] || (behind ? "[^#{Regexp.escape(behind[0])}]+" : ".#{@may_be_empty ? '*' : '+'}")})"
      end
      Regexp.new("\\A#{source.join}\\z".b, Regexp::MULTILINE | Regexp::NOENCODING)
    end
  end

  # A header whose items, each with one value, stand in any order; the signature may be there more than once.
  class ListTemplate < Template
    def initialize(text, patterns, separator)
      super(text, patterns)
      @separator = separator
      @mark = separator.strip.empty? ? " " : separator.strip
      @word = @mark == " " ? "" : @literal[/\A.* /].to_s
      @items = text.delete_prefix(@word).split(separator).map { |item| Template.new(item, patterns) }
    end

    def read(text)
      return nil unless text.start_with?(@word)

      found, signatures = {}, []
      text.delete_prefix(@word).split(@mark, -1).each do |part|
        part = Undersign.trim(part)
        item = @items.find { |each| part.start_with?(each.literal) }
        next unless item

        name, value = item.names[0], item.read(part)
        signatures << value[name] if name == "signature" && value
        next if name == "signature"
        return nil if value.nil? || value[name].match?(/\A[ \t]|[ \t]\z/n) || found.key?(name)

        found.update(value)
      end
      found.merge("signature" => signatures) if signatures.any? && found.size == @items.size - 1
    end
  end

  # What a recipe signs, part by part. A text is bytes, nil where the part is left out, :secret where the secret stands.
  class Parts
    WORDS = %w[method target path query url host body content-type media-type header headers params digest time key_id
               secret nonce extra literal].freeze
    OPTIONS = %w[part omit_empty fold when excludes names prefix sort pair item ended between title drop_blank http_version of
                 start without decoded encode lower_names plain digest encoding parts joiner segment before empty absent].freeze
    REQUEST_LINES = %w[@request-target request-line].freeze

    def self.encoded(digest, encoding)
      case encoding
      when "hex" then digest.unpack1("H*")
      when "HEX" then digest.unpack1("H*").upcase
      when "base64" then [digest].pack("m0")
      when "base64url" then [digest].pack("m0").tr("+/", "-_")
      when "base64url-nopad" then [digest].pack("m0").tr("+/", "-_").delete("=")
      when "raw" then digest
      else raise Unknown, "no encoding #{encoding}"
      end
    end

    # The digest of a body that the placeholder body:ALG:ENC stands for.
    def self.digest(name, body)
      _, algorithm, encoding = name.split(":")
      encoded(OpenSSL::Digest.digest(algorithm, body), encoding || "hex")
    end

    # `sent` are the placeholders of the carriers, `optional` those whose carriers may be left out.
    def initialize(options, sent, optional)
      @joiner = options["joiner"]
      @optional = optional
      @time_is_sent = sent.include?("time")
      @specs = options["parts"].map { |spec| spec.is_a?(Hash) ? spec : { "part" => spec } }
      @specs.each do |spec|
        unknown = spec.keys - OPTIONS
        unknown << spec["part"] unless WORDS.include?(spec["part"].split(":")[0])
        raise Unknown, "no part or option #{unknown.join(', ')}" if unknown.any?
      end
    end

    # The string to sign with a NUL where the secret goes, and with the secret.
    def strings(context, secret)
      texts = @specs.map { |spec| text_of(spec, context) }.compact
      ["\0".b, secret.b].map { |hidden| texts.map { |text| text == :secret ? hidden : text.b }.join(@joiner) }
    end

    # Refuses what can be refused before the body is there.
    def check_head(context)
      @specs.each { |spec| text_of(spec, context) unless late?(spec) }
    end

    def time?
      @specs.any? { |spec| word(spec) == "time" }
    end

    # The names of the listed headers that the request has, for {headers}.
    def names_there(request, drafted = [])
      spec = @specs.find { |each| word(each) == "headers" }
      drafted = drafted.map { |name| Undersign.lower(name) }
      names = spec["names"].map { |name| Undersign.lower(name) }
      there = names.select { |name| REQUEST_LINES.include?(name) || drafted.include?(name) || request.values(name).any? }
      there.join(spec.fetch("between", " "))
    end

    # The value of a header that is signed or that carries something; nil where there is none.
    def lone(request, name, reason)
      return nil if spellings(request, name).empty?
      raise Refused.new(reason, "#{name} is there twice, or in another spelling") unless spelled_once?(request, name)

      value = Undersign.trim(spellings(request, name)[0][1])
      raise Refused.new(reason, "#{name} holds a control character") if value.match?(NOT_CLEAN)

      value
    end

    # The headers of a name, those with underscores in it besides.
    def spellings(request, name)
      folded = Undersign.lower(name).tr("_", "-")
      request.headers.select { |given, _| Undersign.lower(given).tr("_", "-") == folded }
    end

    def spelled_once?(request, name)
      found = spellings(request, name)
      found.size == 1 && Undersign.lower(found[0][0]) == Undersign.lower(name)
    end

    private

    def word(spec)
      spec["part"].split(":", 2)[0]
    end

    def late?(spec)
      body = word(spec) == "body" || (word(spec) == "params" && spec.fetch("of", "query") != "query")
      body || spec.dig("when", "body") || (word(spec) == "digest" && spec["parts"].any? { |inner| late?(inner.is_a?(Hash) ? inner : { "part" => inner }) })
    end

    def applies?(conditions, request)
      types = conditions["content_types"]
      (conditions["methods"].nil? || conditions["methods"].include?(request.upper_method)) &&
        (types.nil? || types.any? { |type| request.media_type?(type) }) &&
        (conditions["body"].nil? || conditions["body"] == !request.body.empty?)
    end

    def text_of(spec, context)
      return nil if spec["when"] && !applies?(spec["when"], context.request)

      text = plain_text(spec, context)
      return text unless text.is_a?(String)

      text = spec["fold"] == "lower" ? Undersign.lower(text.b) : text.b.upcase(:ascii) if spec["fold"]
      refuse(context, "a part holds what separates it") if spec["excludes"] && text.include?(spec["excludes"])
      text unless spec["omit_empty"] && text.empty?
    end

    def refuse(context, detail)
      raise Refused.new(context.reason, detail)
    end

    def plain_text(spec, context)
      name, argument = spec["part"].split(":", 2)
      request = context.request
      target = Undersign.origin_form(request.target)
      path, query = target.split("?", 2)
      case name
      when "method" then request.upper_method
      when "target" then target
      when "path" then spec["segment"] ? segment(path, spec["segment"], context) : path
      when "query" then query_text(query || "", spec, context)
      when "url" then origin(context) + target
      when "host" then origin(context).split("://", 2)[1]
      when "body" then body_text(argument, spec, context)
      when "header" then header_text(argument, spec, context)
      when "content-type" then header_text("content-type", spec, context)
      when "media-type" then Undersign.trim(header_text("content-type", spec, context).split(";", 2)[0] || "")
      when "headers" then header_lines(spec, context)
      when "params" then params_text(spec, query || "", context)
      when "digest" then nested(spec, context)
      when "time" then time_text(argument, context)
      when "key_id" then context.values["key_id"]
      when "nonce" then value_of("nonce", context)
      when "extra" then value_of("extra.#{argument}", context)
      when "secret" then :secret
      when "literal" then argument
      end
    end

    # What the credentials say; nil where the carrier is left out, and the part with it.
    def value_of(name, context)
      value = context.values[name].to_s
      value unless value.empty? && @optional.include?(name)
    end

    def segment(path, place, context)
      segments = path == "/" ? [""] : path[1..].split("/", -1)
      segments[place] || refuse(context, "there is no such segment")
    end

    def origin(context)
      context.request.origin.empty? ? refuse(context, "the origin is not known") : context.request.origin
    end

    def time_text(form, context)
      return context.values["time"] if form.nil? && @time_is_sent

      Times.write(form || "unix", context.at)
    end

    def header_text(name, spec, context)
      value = lone(context.request, name, context.reason)
      value = "" if value.nil? && (spec["absent"] == "nothing" || spec["omit_empty"])
      value || refuse(context, "there is no #{name}")
    end

    def header_lines(spec, context)
      names = spec["prefix"] ? with_prefix(context.request, Undersign.lower(spec["prefix"])) : spec["names"].uniq.map { |name| Undersign.lower(name) }
      lines = names.filter_map { |name| header_line(name, spec, context) }
      lines.sort! if spec.fetch("sort", "name") == "name"
      lines.join(spec.fetch("item", "\n")) + (spec["ended"] && lines.any? ? spec.fetch("item", "\n") : "")
    end

    def with_prefix(request, prefix)
      request.headers.map { |name, _| Undersign.lower(name) }.uniq.select { |name| name.start_with?(prefix) && name != prefix }
    end

    def header_line(name, spec, context)
      if REQUEST_LINES.include?(name)
        version = name == "request-line" ? " HTTP/#{spec.fetch('http_version', '1.1')}" : ""
        return "#{context.request.upper_method} #{Undersign.origin_form(context.request.target)}#{version}"
      end
      value = lone(context.request, name, context.reason)
      return nil if value.nil? || (spec["drop_blank"] && ["", "0"].include?(value))

      name = name.split("-", -1).map(&:capitalize).join("-") if spec["title"]
      name.b + spec.fetch("pair", ": ") + value
    end

    def body_text(argument, spec, context)
      body = context.request.body
      algorithm, encoding = argument ? argument.split(":") : spec.values_at("digest", "encoding")
      if algorithm
        return { "nothing" => "", "omit" => nil }[spec["empty"]] if body.empty? && %w[nothing omit].include?(spec["empty"])

        return Parts.encoded(OpenSSL::Digest.digest(algorithm, body), encoding || spec["encoding"] || "hex")
      end
      spec["before"] && context.request.media_type?(FORM) ? before(body, spec["before"], context) : body
    end

    def query_text(query, spec, context)
      return before(query, spec["before"], context) if spec["before"]

      without = (spec["without"] || []).map(&:b)
      without.empty? ? query : query.split("&", -1).reject { |pair| without.include?(Undersign.unescaped(pair.split("=", 2)[0] || "")) }.join("&")
    end

    # All that stands before a parameter, which has to be the last.
    def before(encoded, name, context)
      pairs = encoded.b.split("&", -1)
      places = pairs.each_index.select { |place| Undersign.unescaped(pairs[place].split("=", 2)[0] || "") == name.b }
      refuse(context, "#{name} is not the last parameter") if places.any? && places != [pairs.size - 1]
      (places.any? ? pairs[...-1] : pairs).join("&").sub(/&+\z/, "")
    end

    def params_text(spec, query, context)
      form = context.request.media_type?(FORM) ? context.request.body : ""
      sent = { "query" => [query], "form" => [form], "both" => [query, form] }.fetch(spec.fetch("of", "query"))
      without = (spec["without"] || []).map(&:b)
      pairs = sent.flat_map { |encoded| encoded.b.split("&") }.reject(&:empty?).map { |pair| pair.split("=", 2).values_at(0, 1).map(&:to_s) }
      pairs.reject! { |name, value| (spec["drop_blank"] && value.empty?) || without.include?(Undersign.unescaped(name)) }
      pairs = pairs.map { |pair| pair.map { |text| decoded(text, context) } } if spec.fetch("decoded", true)
      joined_params(pairs, spec, context)
    end

    def joined_params(pairs, spec, context)
      between, behind = spec.fetch("pair", "=").b, spec.fetch("item", "&").b
      if spec["plain"] && pairs.any? { |name, value| name.include?(between) || (name + value).include?(behind) }
        refuse(context, "a parameter holds what separates parameters")
      end
      pairs = lower_names(pairs, context) if spec["lower_names"]
      pairs = pairs.each_with_index.sort_by { |(name, _), place| [name, place] }.map(&:first) if spec.fetch("sort", "name") == "name"
      pairs = pairs.map { |pair| pair.map { |text| encoded_text(text, spec["encode"], behind) } } if spec["encode"]
      pairs = pairs.sort if spec["sort"] == "pair"
      (pairs.empty? ? "" : spec.fetch("start", "")) + pairs.map { |name, value| name + between + value }.join(behind)
    end

    def lower_names(pairs, context)
      spellings = pairs.map(&:first).uniq
      refuse(context, "two parameters differ in case alone") if spellings.map { |name| Undersign.lower(name) }.uniq.size < spellings.size
      pairs.map { |name, value| [Undersign.lower(name), value] }
    end

    def decoded(text, context)
      found = Undersign.unescaped(text).force_encoding("UTF-8")
      refuse(context, "a parameter is not UTF-8 or holds a control character") unless found.valid_encoding? && !found.match?(/[\u0000-\u001f\u007f-\u009f]/)
      found.b
    end

    def encoded_text(text, how, item)
      case how
      when "form" then Undersign.escaped(text).gsub("%20", "+")
      when "rfc3986" then Undersign.escaped(text)
      when "item" then text.gsub(item, Undersign.escaped(item))
      else text
      end
    end

    def nested(spec, context)
      inner = spec["parts"].map { |each| each.is_a?(Hash) ? each : { "part" => each } }
      texts = inner.map { |each| text_of(each, context) }.compact
      digest = OpenSSL::Digest.digest(spec["digest"], texts.map(&:b).join(spec.fetch("joiner", "")))
      Parts.encoded(digest, spec.fetch("encoding", "hex"))
    end
  end
end
