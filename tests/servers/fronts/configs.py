"""What stands in front: each program as it comes, and as it has to be set for all that is signed to arrive."""

from __future__ import annotations

from .running import Front

NGINX_COMMAND = "nginx -p @folder@ -c @config@ -e stderr"
_NGINX = """
daemon off; master_process off; pid @folder@/pid; error_log stderr;
events {}
http {
  access_log off; client_body_temp_path @folder@/body; proxy_temp_path @folder@/proxy;
  fastcgi_temp_path @folder@/fastcgi; uwsgi_temp_path @folder@/uwsgi; scgi_temp_path @folder@/scgi;
  server {
    listen 127.0.0.1:@port@ LISTEN;
    location / { LOCATION }
  }
}
"""


def nginx(name: str, location: str, listen: str = "") -> Front:
    """nginx with these directives for all paths."""
    return Front(name, NGINX_COMMAND, _NGINX.replace("LOCATION", location).replace("LISTEN", listen))


_APACHE = """
ServerName localhost
ServerRoot @folder@
PidFile @folder@/pid
DefaultRuntimeDir @folder@
ErrorLog /dev/stderr
User www-data
Group www-data
StartServers 1
Listen 127.0.0.1:@port@
LoadModule mpm_event_module MODULES/mod_mpm_event.so
LoadModule authz_core_module MODULES/mod_authz_core.so
"""
_APACHE_MODULES = "/usr/lib/apache2/modules"


def apache(name: str, modules: str, directives: str) -> Front:
    """Apache with these modules and directives."""
    loaded = "".join(f"LoadModule {module}_module MODULES/mod_{module}.so\n" for module in modules.split())
    config = (_APACHE + loaded).replace("MODULES", _APACHE_MODULES) + directives
    needs = tuple(f"{_APACHE_MODULES}/mod_{module}.so" for module in modules.split())
    return Front(name, "apache2 -f @config@ -DFOREGROUND", config, user="www-data", needs=needs)


def mod_wsgi(name: str, directives: str = "") -> Front:
    """Apache that runs `@script@` itself. Its Python is the system's, so `@path@` is where modules are found."""
    script = """
WSGIScriptAlias / @script@
WSGIPythonPath @path@
WSGIApplicationGroup %{GLOBAL}
<Directory />
  Require all granted
</Directory>
"""  # a group of its own would keep Apache from ending for ten seconds
    return apache(name, "wsgi", script + directives)


def haproxy(name: str, bind: str = "") -> Front:
    return Front(
        name,
        "haproxy -db -f @config@",
        f"""
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend in
  bind 127.0.0.1:@port@ {bind}
  default_backend behind
backend behind
  server one 127.0.0.1:@behind@
""",
    )


def caddy(name: str, protocols: str = "h1") -> Front:
    return Front(
        name,
        "env XDG_DATA_HOME=@folder@ XDG_CONFIG_HOME=@folder@ caddy run --adapter caddyfile --config @config@",
        f"""
{{
  admin off
  auto_https off
  servers {{
    protocols {protocols}
  }}
}}
http://:@port@ {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:@behind@
}}
""",
    )


def lighttpd(name: str, options: str = "") -> Front:
    return Front(
        name,
        "lighttpd -D -f @config@",
        f"""
server.port = @port@
server.bind = "127.0.0.1"
server.document-root = "@folder@"
server.upload-dirs = ( "@folder@" )
server.modules = ( "mod_proxy" )
proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => "@behind@" ) ) )
{options}
""",
    )


def varnish(name: str, rules: str = "", parameters: str = "") -> Front:
    return Front(
        name,
        f"varnishd -F -j none -n @folder@/work -a 127.0.0.1:@port@ -f @config@ -s malloc,16m {parameters}",
        f"""
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "@behind@"; }}
{rules}
""",
        needs=("/usr/bin/gcc",),  # it compiles its rules
    )


def h2o(name: str, options: str = "") -> Front:
    return Front(
        name,
        "h2o -m worker -c @config@",
        f"""
num-threads: 1
pid-file: @folder@/pid
hosts:
  default:
    listen:
      host: 127.0.0.1
      port: @port@
    paths:
      /:
        proxy.reverse.url: http://127.0.0.1:@behind@/
        {options}
""",
        user="nobody",
    )


def nghttpx(name: str, options: str = "") -> Front:
    ports = "--frontend=127.0.0.1,@port@;no-tls --backend=127.0.0.1,@behind@"
    return Front(name, f"nghttpx --conf=/dev/null --workers=1 {ports} {options}")


def envoy(name: str, options: str = "") -> Front:
    """Options are those of its connection manager."""
    config = """
static_resources:
  listeners:
  - address: { socket_address: { address: 127.0.0.1, port_value: @port@ } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": TYPES.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: front
          OPTIONS
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: { prefix: "/" }
                route: { cluster: behind }
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": TYPES.filters.http.router.v3.Router
  clusters:
  - name: behind
    load_assignment:
      cluster_name: behind
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: @behind@ } } }
"""
    config = config.replace("TYPES", "type.googleapis.com/envoy.extensions").replace("OPTIONS", options)
    command = "envoy --disable-hot-restart --concurrency 1 --log-level warn -c @config@"
    return Front(name, command, config, suffix=".yaml")


def squid(name: str, options: str = "") -> Front:
    """A forward proxy, which is asked in absolute form."""
    return Front(
        name,
        "squid -N -f @config@",
        f"""
http_port 127.0.0.1:@port@
pid_filename none
cache_log /dev/null
access_log none
coredump_dir @folder@
shutdown_lifetime 0 seconds
http_access allow localhost
{options}
""",
        user="proxy",
    )
