# frozen_string_literal: true

# Reads recipes: signs and verifies as a document says, one for each API. Ruby 3.0 or later, and port.rb beside it.
#
#     require_relative "recipe"
#     recipe = Undersign::Recipe.new(JSON.parse(File.read("bokun.json")))
#     signed = Undersign.sign(recipe, request, "key id", "secret", Time.now.to_r, nonce: "…", extra: { "passphrase" => "…" })
#     key_id = Undersign.verify(recipe, request, { "key id" => ["secret"] }, Time.now.to_r)
#
# `ruby recipe.rb` speaks the conformance protocol: `undersign conform --presets -- ruby recipe.rb`.
#
# SPDX-License-Identifier: MIT

require_relative "recipe_parts"

module Undersign
  # A scheme that a document describes.
  class Recipe
    DEFAULTS = {
      "joiner" => "", "encoding" => "hex", "any_case" => false, "secret" => "text", "secret_prefix" => "", "time" => "unix",
      "window" => { "past" => 300, "future" => 300 }, "nonce" => "required", "methods" => [], "allow_http" => false,
      "content_type" => nil, "key_id_param" => nil, "headers" => {}, "query" => {}, "form" => {}, "query-or-form" => {}, "list_separator" => ""
    }.freeze
    PLACES = %w[query form query-or-form].freeze
    # Of a request: what its carriers say, and what to call it when it is refused.
    Context = Struct.new(:request, :values, :at, :reason)

    def initialize(document)
      unknown = document.keys - DEFAULTS.keys - %w[name parts mac]
      raise Unknown, "a recipe has no #{unknown.join(', ')}" if unknown.any?

      @options = DEFAULTS.merge(document)
      @kind, @algorithm = @options["mac"].split("-", 2)
      @place = PLACES.find { |place| @options[place].any? } || "query"
      patterns = { "signature" => signature_pattern }
      empty = @options["nonce"] == "optional" ? ["nonce"] : []
      @headers = @options["headers"].to_h do |name, text|
        list = !@options["list_separator"].empty? && text.include?("{signature}")
        [name, list ? ListTemplate.new(text, patterns, @options["list_separator"]) : Template.new(text, patterns, empty)]
      end
      @fields = @options[@place].transform_values { |text| Template.new(text, patterns, empty) }
      @names = [*@fields.keys, *@options["key_id_param"]].map(&:b)
      @templates = [*@headers.values, *@fields.values]
      @sent = @templates.flat_map(&:names)
      @signed_header, @signed = @headers.find { |_, template| template.names.include?("signature") }
      @parts = Parts.new(@options, @sent, @templates.flat_map(&:optional))
    end

    def sign(request, key_id, secret, now, nonce: "", extra: {})
      refuse = ->(detail) { raise Refused.new("cannot_sign", detail) }
      key = key_of(secret) || refuse["the secret is not in its form"]
      refuse["plain http shows the signature"] if !@options["allow_http"] && !request.origin.empty? && !https?(request)
      refuse["the method is not signed"] if @options["methods"].any? && !@options["methods"].include?(request.upper_method)
      values = { "key_id" => key_id, "nonce" => nonce, **extra.transform_keys { |name| "extra.#{name}" } }.transform_values(&:b)
      refuse["a value holds a control character"] if values.values.any? { |value| value.match?(CONTROL) }
      check_values(values, refuse)
      values["time"] = @sent.include?("time") ? Times.write(@options["time"], now) : ""
      at = @sent.include?("time") ? Times.read(@options["time"], values["time"]) : now.floor
      request, added = with_content_type(request)
      in_form = @place == "form" || (@place == "query-or-form" && form?(request))
      check_places(request, in_form, refuse)
      compute(request, values)
      macs = values.to_h { |name, value| [name, @templates.any? { |template| template.mac?(name) } ? signature(key, value) : value] }
      drafted = written(macs, signed: false)
      headers, fields = drafted
      context = Context.new(set(request, headers, fields, in_form), values, at, "cannot_sign")
      strings = @parts.strings(context, key)
      headers, fields = written(macs.merge("signature" => signature(key, strings[1])), signed: true)
      done = set(request, headers, fields, in_form)
      Signed.new(headers + added, in_form ? [] : fields, in_form ? fields : [], done.target, done.body, strings[0])
    end

    def verify(request, keys, now)
      values = read(request)
      context = Context.new(request, values, claimed_time(values, now), "malformed")
      @parts.check_head(context)
      raise Refused.new("malformed", "the list of signed headers") if values["headers"] && values["headers"] != @parts.names_there(request)

      Undersign.check(request, request.target, "malformed")
      raise Refused.new("malformed", "the method is not upper case") if request.method != request.upper_method

      check_window(context.at, now) if @sent.include?("time") && @options["window"]
      @parts.strings(context, "") # what needs the body
      check_digests(request, values)
      secrets = Undersign.secrets_of(keys, values["key_id"])
      keyed = secrets.map { |secret| key_of(secret) || raise(Refused.new("unavailable", "a secret that is not in its form")) }
      fits = keyed.any? { |key| seconds(now).any? { |second| fits?(context, second, key) } }
      fits ? values["key_id"] : raise(Refused.new("mismatch", "no secret fits"))
    end

    private

    def signature_pattern
      size = SIZES.fetch(@algorithm)
      padding = "=" * (-size % 3)
      case @options["encoding"]
      when "hex", "HEX"
        letters = @options["any_case"] ? "A-Fa-f" : { "hex" => "a-f", "HEX" => "A-F" }[@options["encoding"]]
        "[0-9#{letters}]{#{size * 2}}"
      when "base64" then "[A-Za-z0-9+/]{#{(size * 8 + 5) / 6}}#{padding}"
      when "base64url" then "[A-Za-z0-9_-]{#{(size * 8 + 5) / 6}}#{padding}"
      when "base64url-nopad" then "[A-Za-z0-9_-]{#{(size * 8 + 5) / 6}}"
      else raise Unknown, "no encoding #{@options['encoding']}"
      end
    end

    # The bytes of the key; nil where the secret is not in its form.
    def key_of(secret)
      prefix = @options["secret_prefix"].b
      return nil if @options["secret"] == "text" && !secret.b.start_with?(prefix)

      text = secret.b.delete_prefix(prefix)
      key = case @options["secret"]
            when "base64" then text.unpack1("m") if [text.unpack1("m")].pack("m0") == text
            when "hex" then [text].pack("H*") if text.match?(/\A(?:[0-9A-Fa-f]{2})+\z/n)
            when "md5-hex" then OpenSSL::Digest.hexdigest("MD5", text)
            else text
            end
      key unless key.nil? || key.empty?
    end

    def signature(key, string)
      digest = @kind == "hmac" ? OpenSSL::HMAC.digest(@algorithm, key, string) : OpenSSL::Digest.digest(@algorithm, string)
      Parts.encoded(digest, @options["encoding"])
    end

    def https?(request)
      Undersign.lower(request.origin).start_with?("https://")
    end

    def form?(request)
      request.upper_method != "GET" && request.media_type?(FORM)
    end

    def check_values(values, refuse)
      optional = [*@templates.flat_map(&:optional), *("nonce" if @options["nonce"] == "optional")]
      (@sent & ["nonce", *@sent.grep(/\Aextra\./)]).each do |name|
        refuse["#{name} is needed"] if values[name].to_s.empty? && !optional.include?(name)
      end
      return unless @options["nonce"] == "number" && !values["nonce"].match?(/\A[0-9]{1,20}\z/)

      refuse["the nonce is no number"]
    end

    def with_content_type(request)
      type = @place == "form" ? FORM : @options["content_type"]
      if @place == "form" && !form?(request)
        fits = request.values("content-type").empty? && request.upper_method != "GET" && like_a_form?(request.body)
        raise Refused.new("cannot_sign", "the request is no form") unless fits
      elsif type.nil? || request.values("content-type").any? || (@place == "query-or-form" && type == FORM && !fills_a_form?(request.body))
        return [request, []]
      end
      [request.with([["Content-Type", type]]), [["Content-Type", type]]]
    end

    def like_a_form?(body)
      body.match?(/\A(?:[^\x00-\x20"'{}\[\]\\=&\x7f]+=[^\x00-\x20"{}\\\x7f]*)?\z/n)
    end

    def fills_a_form?(body)
      !body.empty? && like_a_form?(body)
    end

    # The scheme's own parameters in the query and in the form.
    def places(request, body)
      query = Undersign.origin_form(request.target).split("?", 2)[1] || ""
      in_query = @place == "form" ? "" : query
      in_form = @place != "query" && request.media_type?(FORM) ? body : ""
      [in_query, in_form].map { |encoded| Undersign.fields(encoded, @names) }
    end

    def check_places(request, in_form, refuse)
      @headers.each_key do |name|
        twins = @parts.spellings(request, name).reject { |given, _| Undersign.lower(given) == Undersign.lower(name) }
        refuse["a header would stand in for #{name}"] if twins.any?
      end
      return if @fields.empty?

      here, there = places(request, request.body)
      here, there = there, here if in_form
      refuse["a parameter stands in the other place"] if there.any?
      refuse["a parameter is there twice"] if here.map(&:first).uniq.size < here.size
      refuse["a Content-Encoding hides the form"] if @place != "query" && compressed_form?(request)
    end

    def compressed_form?(request)
      encodings = request.values("content-encoding").map { |value| Undersign.lower(value) } - ["", "identity"]
      encodings.any? && request.media_type?(FORM)
    end

    def compute(request, values)
      @sent.grep(/\Abody:/).each do |name|
        empty = request.body.empty? && @templates.any? { |template| template.optional.include?(name) }
        values[name] = empty ? "" : Parts.digest(name, request.body)
      end
      drafted = @headers.reject { |_, template| template.left_out?(values) }.keys
      needless = @headers.keys - drafted
      raise Refused.new("cannot_sign", "nothing goes into #{needless[0]}") if needless.any? { |name| request.values(Undersign.lower(name)).any? }

      values["headers"] = @parts.names_there(request, drafted) if @sent.include?("headers")
    end

    # Headers and parameters to set: all but the signature, or all.
    def written(values, signed:)
      [@headers, @fields].map do |templates|
        kept = templates.reject { |_, template| template.left_out?(values) || (!signed && template.names.include?("signature")) }
        kept.map { |name, template| [name, template.write(values)] }
      end
    end

    def set(request, headers, fields, in_form)
      changed = request.with(headers)
      return changed if fields.empty?

      if in_form
        changed.body = Undersign.with_fields(request.body, fields)
      else
        path, query = request.target.split("?", 2)
        changed.target = "#{path}?#{Undersign.with_fields(query || '', fields)}"
      end
      changed
    end

    # What the carriers of a request say.
    def read(request)
      values, problem = read_carriers(request)
      raise Refused.new("insecure", "not over https") unless @options["allow_http"] || https?(request)
      raise Refused.new("malformed", problem) if problem

      named = values["key_id_param"] || (@sent.include?("key_id") ? values["key_id"].to_s : @options["name"]).b
      bad = named.empty? || !Undersign.utf8?(named) || named.match?(CONTROL)
      raise Refused.new("malformed", "the key id is empty, not UTF-8 or holds a control character") if bad
      raise Refused.new("malformed", "the method is not taken") if @options["methods"].any? && !@options["methods"].include?(request.upper_method)

      values["key_id"] = named.dup.force_encoding("UTF-8")
      number = @options["nonce"] != "number" || values["nonce"].to_s.match?(/\A[0-9]{1,20}\z/n)
      clean = values.none? { |name, value| name.match?(/\A(?:nonce|extra)/) && value.match?(CONTROL) }
      raise Refused.new("malformed", "a value holds a control character, or the nonce is no number") unless number && clean

      values
    end

    def read_carriers(request)
      query, form = places(request, request.body)
      values = {}
      if @signed
        sent = request.values(@signed_header.downcase)
        values = @parts.spelled_once?(request, @signed_header) && @signed.read(sent[0])
        raise Refused.new("missing", "no signature") unless values || claims?(sent)
        return [{}, "the signature is not there once in its one form"] unless values
        to_come = @fields.any? && (query + form).empty? && request.body.empty? && @place != "query" && request.media_type?(FORM)
        raise Refused.new("missing", "the form is still to come") if to_come
      else
        field = @fields.find { |_, template| template.names.include?("signature") }[0].b
        raise Refused.new("missing", "no signature") unless (query + form).assoc(field)
      end
      problem = read_fields(request, query, form, values) || read_headers(request, values)
      [values, problem]
    end

    def claims?(sent)
      return sent.any? { |value| @signed.read(value) } if @signed.basic?

      authorization = @signed_header.downcase == "authorization"
      word = @signed.literal[/\A[^ ]*(?= )/].to_s if authorization
      return sent.any? { |value| value == word || value.start_with?("#{word} ") } unless word.to_s.empty?

      sent.any? && (!authorization || !sent[0].include?(" "))
    end

    def read_fields(request, query, form, values)
      return nil if @fields.empty?
      return "a Content-Encoding hides the form" if @place != "query" && compressed_form?(request)

      pairs = query + form
      return "parameters stand in both places, or one is there twice" if (query.any? && form.any?) || pairs.map(&:first).uniq.size < pairs.size

      found = pairs.to_h
      return "a parameter is not UTF-8" unless found.values.all? { |value| Undersign.utf8?(value) }

      values["key_id_param"] = found[@options["key_id_param"].b] if @options["key_id_param"] && found[@options["key_id_param"].b]
      @fields.each do |name, template|
        sent = found[name.b]
        next values.update(template.names.to_h { |each| [each, ""] }) if sent.nil? && template.may_be_absent?

        read = template.read(sent || "") or return "the parameter #{name} is absent or not in its form"
        values.update(read)
      end
      nil
    end

    def read_headers(request, values)
      @headers.each do |name, template|
        next if template.equal?(@signed)

        sent = lone(request, name) { |problem| return problem }
        sent = "" if sent.nil? && template.may_be_empty?
        absent = (sent.nil? && template.may_be_absent?) || (sent == "" && template.optional.any?)
        next values.update(template.names.to_h { |each| [each, ""] }) if absent

        read = sent && template.read(sent) or return "the header #{name} is absent or not in its form"
        values.update(read)
      end
      nil
    end

    # The value of a carrier, and its problem to the block.
    def lone(request, name)
      @parts.lone(request, name, "malformed")
    rescue Refused => e
      yield e.message
    end

    def claimed_time(values, now)
      return now.floor unless @sent.include?("time")

      Times.read(@options["time"], values["time"]) || raise(Refused.new("malformed", "the time is not in its form"))
    end

    def check_window(at, now)
      age = now.floor - at.floor
      raise Refused.new("stale", "too old") if age > @options["window"]["past"]
      raise Refused.new("future", "too far ahead") if -age > @options["window"]["future"]
    end

    def check_digests(request, values)
      values.each do |name, sent|
        next unless name.start_with?("body:")

        right = sent.empty? ? request.body.empty? : sent == Parts.digest(name, request.body)
        raise Refused.new("malformed", "the digest is that of another body") unless right
      end
    end

    # The seconds at which a signature may have been made, where none is sent.
    def seconds(now)
      window = @options["window"]
      return [nil] if @sent.include?("time") || !window || !@parts.time?

      now.floor - window["past"]..now.floor + window["future"]
    end

    def fits?(context, second, key)
      context.at = second if second
      expected = signature(key, @parts.strings(context, key)[1])
      [*context.values["signature"]].any? do |sent|
        sent = { "hex" => sent.downcase, "HEX" => sent.upcase }[@options["encoding"]] if @options["any_case"]
        OpenSSL.secure_compare(expected, sent)
      end
    end
  end

  # The conformance protocol, with recipes.
  module Protocol
    class << self
      alias started_without_recipes started
      alias scheme_without_recipe scheme_of

      def started
        { **started_without_recipes, "recipes" => true }
      end

      def scheme_of(command)
        command["recipe"] ? Recipe.new(command["recipe"]) : scheme_without_recipe(command)
      rescue Unknown
        nil
      end
    end
  end
end

Undersign::Protocol.serve if $PROGRAM_NAME == __FILE__
