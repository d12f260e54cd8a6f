"""Frameworks without a server: views that are coroutines, permissions of the key's user, and the frameworks' own
clients for tests."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from undersign import GoTom, Verified, Verifier
from undersign.servers.flask import Signature, verified
from undersign.servers.flask import signed as needs_signature

from .wire import signed

flask = pytest.importorskip("flask")
views = pytest.importorskip("flask.views")

KEYS = {"user:1": "thepasswordyoureceived"}


def flask_client() -> Any:
    app = flask.Flask(__name__)
    Signature(Verifier(GoTom(), KEYS), app, public=["/open", "/open/async", "/open/class"])

    @app.get("/open")  # type: ignore[untyped-decorator]
    @needs_signature
    def plain() -> Any:
        return {"key_id": verified().key_id}  # type: ignore[union-attr]

    @app.get("/open/async")  # type: ignore[untyped-decorator]
    @needs_signature
    async def coroutine() -> Any:
        await asyncio.sleep(0)
        return {"key_id": verified().key_id}  # type: ignore[union-attr]

    class Method(views.MethodView):  # type: ignore[misc,name-defined]
        decorators = (needs_signature,)

        async def get(self) -> Any:
            return {"key_id": verified().key_id}  # type: ignore[union-attr]

    app.add_url_rule("/open/class", view_func=Method.as_view("method"))

    @app.get("/async")  # type: ignore[untyped-decorator]
    @needs_signature
    async def protected() -> Any:
        return {"key_id": verified().key_id}  # type: ignore[union-attr]

    return app.test_client()


@pytest.mark.parametrize("path", ["/open", "/open/async", "/open/class"])
def test_a_flask_view_that_needs_a_signature_may_be_a_coroutine(path: str) -> None:
    """A public path lets anybody in, and leaves it to the view."""
    client = flask_client()
    request = signed(target=path)
    assert client.get(path).status_code == 401
    assert client.get(path, headers=list(request.headers)).status_code == 401  # it was not verified there
    assert client.get("/async").status_code == 401


def test_an_async_flask_view_behind_the_middleware_answers() -> None:
    answer = flask_client().get("/async", headers=list(signed(target="/async").headers))
    assert (answer.status_code, answer.json) == (200, {"key_id": "user:1"})


DJANGO = """
import asyncio, sys
from django.conf import settings
settings.configure(
    SECRET_KEY="test",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    MIDDLEWARE=["undersign.servers.django.SignatureMiddleware"],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["undersign.servers.rest_framework.SignatureAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.DjangoModelPermissions"],
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
        "DEFAULT_THROTTLE_RATES": {"user": "100/day"},
    },
)
import django
django.setup()
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.http import JsonResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory
from django.urls import path
from rest_framework import permissions, serializers, viewsets
from rest_framework.test import APIClient, APIRequestFactory
from undersign import Verified
from undersign.servers.django import signed_as, verified
from undersign.servers.rest_framework import SignatureAuthentication, SignedUser

RIGHTS = {"reader": [], "writer": ["auth.add_group", "auth.change_group"]}

class Authentication(SignatureAuthentication):
    def get_user(self, verified):
        return SignedUser(verified.key_id, tenant=verified.tenant, permissions=RIGHTS.get(verified.key_id, []))

class Serializer(serializers.ModelSerializer):
    class Meta:
        model = Group
        fields = ["name"]

class Groups(viewsets.ModelViewSet):
    authentication_classes = [Authentication]
    queryset = Group.objects.all()
    serializer_class = Serializer

class Objects(Groups):
    permission_classes = [permissions.DjangoObjectPermissions]

class OrReading(Groups):
    permission_classes = [permissions.DjangoModelPermissionsOrAnonReadOnly]

class Staff(Groups):
    permission_classes = [permissions.IsAdminUser]

def who(request):
    return JsonResponse({"key_id": request.undersign.key_id if request.undersign else None})

async def who_async(request):
    return JsonResponse({"key_id": request.undersign.key_id if request.undersign else None})

def with_user(request):
    request.user = Authentication().get_user(request.undersign)
    return guarded(request)

@login_required
@permission_required("auth.add_group", raise_exception=True)
def guarded(request):
    return JsonResponse({"user": request.user.get_username()})

both = {"get": "list", "post": "create"}
one = {"get": "retrieve", "put": "update", "delete": "destroy"}
urlpatterns = [
    path("who", who), path("who-async", who_async), path("guarded", with_user),
    path("groups", Groups.as_view(both)), path("groups/<pk>", Groups.as_view(one)),
    path("objects/<pk>", Objects.as_view(one)), path("reading", OrReading.as_view(both)),
    path("staff", Staff.as_view(both)),
]
call_command("migrate", verbosity=0)
as_ = lambda key_id, tenant="": Verified("gotom", key_id, tenant=tenant)
"""

STEPS = {
    "permissions of models": """
        for client in (APIClient, Client):
            reader, writer, nobody = (client(undersign=one) for one in (as_("reader"), as_("writer"), None))
            Group.objects.all().delete()
            post = lambda who: who.post("/groups", {"name": "g"}).status_code
            assert [post(who) for who in (reader, nobody, writer)] == [403, 401, 201]
            assert [who.get("/groups").status_code for who in (reader, nobody)] == [200, 401]
            assert reader.get("/groups").json() == [{"name": "g"}]
            pk = Group.objects.get().pk
            put = lambda who: who.put(f"/groups/{pk}", b'{"name": "h"}', content_type="application/json").status_code
            assert [put(who) for who in (reader, nobody, writer)] == [403, 401, 200]
            assert [who.delete(f"/groups/{pk}").status_code for who in (reader, nobody, writer)] == [403, 401, 403]
            assert [who.get("/reading").status_code for who in (reader, nobody)] == [200, 200]
            assert [who.get("/staff").status_code for who in (writer, nobody)] == [403, 401]
            # Of single objects nobody has a permission, which is the framework's 404 or 403.
            one = writer.put(f"/objects/{pk}", b'{"name": "h"}', content_type="application/json")
            assert one.status_code in (403, 404)
    """,
    "decorators of views": """
        assert Client(undersign=as_("writer")).get("/guarded").json() == {"user": "writer"}
        assert Client(undersign=as_("reader")).get("/guarded").status_code == 403
    """,
    "what Django asks of a user": """
        from django.contrib.auth.models import AnonymousUser
        user = SignedUser("shop", permissions=["shop.view_order"])
        asked = {name for name in dir(AnonymousUser) if not name.startswith("_")}
        asked -= {"check_password", "set_password", "save", "delete"}
        assert asked <= set(dir(user)), asked - set(dir(user))
        assert (user.has_perm("shop.view_order"), user.has_perm("shop.add_order")) == (True, False)
        assert (user.has_module_perms("shop"), user.has_module_perms("sh")) == (True, False)
        assert user.has_perms([]) and not user.has_perms(["shop.view_order"], obj=user)
        assert user.get_all_permissions() == user.get_user_permissions() == {"shop.view_order"}
        assert user.get_all_permissions(user) == user.get_group_permissions() == set()
        assert not SignedUser("shop").has_perm("shop.view_order")
        assert asyncio.run(user.ahas_perms(["shop.view_order"])) and asyncio.run(user.ahas_perm("shop.view_order"))
        assert asyncio.run(user.ahas_module_perms("shop"))
        assert asyncio.run(user.aget_all_permissions()) == asyncio.run(user.aget_user_permissions())
        assert asyncio.run(user.aget_group_permissions()) == set()
        assert user == SignedUser("shop") and user != "shop" and len({user, SignedUser("shop")}) == 1
        of_tenants = {SignedUser("c", tenant="a/b").pk, SignedUser("b/c", tenant="a").pk, SignedUser("c").pk}
        assert len(of_tenants) == 3
        assert str(user) == user.username == user.get_username() == "shop"
        for wrong, error in ((lambda: SignedUser("a", permissions="shop.view"), "permissions is a collection"),
                             (lambda: user.has_perms("shop.view_order"), "perm_list is an iterable")):
            try:
                wrong()
            except Exception as raised:
                assert error in str(raised)
            else:
                raise AssertionError(error)
    """,
    "clients for tests": """
        assert Client(undersign=None).get("/who").json() == {"key_id": None}
        assert Client(undersign=as_("a")).get("/who").json() == {"key_id": "a"}
        assert Client().get("/who", undersign=as_("a")).json() == {"key_id": "a"}
        assert Client(undersign=as_("a")).get("/who-async").json() == {"key_id": "a"}
        for client in (Client, APIClient):
            for path in ("/who", "/who-async"):
                assert signed_as(client(), None).get(path).json() == {"key_id": None}
                assert signed_as(client(), as_("a")).get(path).json() == {"key_id": "a"}
        async def with_async():
            for path in ("/who", "/who-async"):
                assert (await signed_as(AsyncClient(), None).get(path)).json() == {"key_id": None}
                assert (await signed_as(AsyncClient(), as_("a")).get(path)).json() == {"key_id": "a"}
                posted = await signed_as(AsyncClient(), as_("a")).post(path, {"a": "b"}, headers={"x": "y"})
                assert posted.json() == {"key_id": "a"}
        asyncio.run(with_async())
        for factory in (RequestFactory, AsyncRequestFactory, APIRequestFactory):
            assert verified(signed_as(factory(), as_("a")).get("/who")).key_id == "a"
        from undersign import ConfigError
        for call in (lambda: Client().get("/who"), lambda: asyncio.run(AsyncClient().get("/who"))):
            try:
                call()
            except ConfigError as error:
                assert "no SignatureMiddleware is in front" in str(error)
            else:
                raise AssertionError("it was let in")
    """,
}


@pytest.mark.parametrize("steps", STEPS)
def test_django(steps: str, tmp_path: Path) -> None:
    """In a process of its own, as Django has one set of settings for each."""
    pytest.importorskip("rest_framework")
    (tmp_path / "project.py").write_text(
        DJANGO + "\ndef steps():\n" + textwrap.indent(textwrap.dedent(STEPS[steps]), "    ")
    )
    done = subprocess.run(
        [sys.executable, "-c", "import project; project.steps()"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_verified_may_be_made_by_hand() -> None:
    made = Verified("gotom", "user", tenant="alpha")
    assert (made.scheme, made.key_id, made.tenant, made.covers, made.secret_index) == (
        "gotom",
        "user",
        "alpha",
        frozenset(),
        0,
    )


def test_the_log_says_what_a_lookup_returned_and_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    def lookup(key_id: str, scheme_name: str) -> Any:
        return {"secret": "thepasswordyoureceived"}

    app = flask.Flask(__name__)
    Signature(Verifier(GoTom(), lookup), app)
    assert app.test_client().get("/", headers=list(signed(target="/").headers)).status_code == 503
    assert (
        'the key lookup failed: the lookup returned a dict: return the secret alone, as in row["secret"]' in caplog.text
    )
    assert "thepasswordyoureceived" not in caplog.text
