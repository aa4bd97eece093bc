"""Examples that work when pasted: for a shell, for Python and for Java, without other packages.

The credential is taken from the environment, so that no secret ends in a file; the address and the
items are the grant's own.
"""

import json
import shlex
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from apps.sharing.describing.operations import Operation

SHOWN_ROWS: Final = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """One example; file_name: under which it runs."""

    language: str
    label: str
    file_name: str
    text: str


_CREDENTIAL: Final = """export HUILIU_CLIENT_ID='调用凭证编号'
export HUILIU_CLIENT_SECRET='调用凭证密钥'"""

_CURL: Final = """TOKEN=$(curl -sS --fail -u "$HUILIU_CLIENT_ID:$HUILIU_CLIENT_SECRET" \\
  -d grant_type=client_credentials @ORIGIN@/oauth/token \\
  | sed -n 's/.*"access_token": *"\\([^"]*\\)".*/\\1/p')
@CALL@
"""

_PYTHON: Final = """import base64, json, os, urllib.error, urllib.parse, urllib.request

ORIGIN = "@ORIGIN@"


def call(method, address, headers, body=None):
    request = urllib.request.Request(ORIGIN + address, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:  # application/problem+json：按 code 判断
        problem = json.load(error)
        raise SystemExit(problem.get("code", problem)) from error


pair = f'{os.environ["HUILIU_CLIENT_ID"]}:{os.environ["HUILIU_CLIENT_SECRET"]}'
basic = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
token = call("POST", "/oauth/token", basic, b"grant_type=client_credentials")["access_token"]
headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
"""

_PYTHON_PAGES: Final = """
query = @QUERY@
for _page in range(3):  # 读三页；去掉限制就读到 next 为空为止
    page = call("GET", "@PATH@?" + urllib.parse.urlencode(query), headers)
    for record in page["data"]:
        print(json.dumps(record, ensure_ascii=False))
    if page["next"] is None:
        break
    query["cursor"] = page["next"]
"""

_PYTHON_CHANGES: Final = """
query = @QUERY@
while True:  # 保存 next，隔一段时间从它接着读
    page = call("GET", "@PATH@?" + urllib.parse.urlencode(query), headers)
    for change in page["data"]:
        print(change["_op"], json.dumps(change, ensure_ascii=False))
    query["cursor"] = page["next"]
    if page["is_complete"] or page["count"] == 0:
        break
"""

_PYTHON_VERIFY: Final = """
body = json.loads('''@BODY@''')
answer = call("POST", "@PATH@", headers, json.dumps(body).encode())
for record in answer["data"]:
    print(record["found"], record["items"])
"""

_JAVA: Final = """import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

// Java 11 以上：java Huiliu.java
public class Huiliu {
    static final String ORIGIN = "@ORIGIN@";
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    static String send(HttpRequest.Builder request) throws Exception {
        HttpResponse<String> answer = CLIENT.send(request.build(), BodyHandlers.ofString());
        if (answer.statusCode() >= 400) {  // application/problem+json：按 code 判断
            throw new IllegalStateException(answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    public static void main(String[] arguments) throws Exception {
        String pair = System.getenv("HUILIU_CLIENT_ID") + ":"
            + System.getenv("HUILIU_CLIENT_SECRET");
        String drawn = send(HttpRequest.newBuilder(URI.create(ORIGIN + "/oauth/token"))
            .header("Authorization", "Basic "
                + Base64.getEncoder().encodeToString(pair.getBytes("UTF-8")))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString("grant_type=client_credentials")));
        Matcher token = Pattern.compile("\\"access_token\\": *\\"([^\\"]+)\\"").matcher(drawn);
        if (!token.find()) {
            throw new IllegalStateException(drawn);
        }
        System.out.println(send(HttpRequest.newBuilder(URI.create(ORIGIN + "@ADDRESS@"))
            .header("Authorization", "Bearer " + token.group(1))
@CALL@));
    }
}
"""


def of_operation(operation: Operation, origin: str) -> tuple[Sample, ...]:
    """Return the examples of an operation that can be tried; of others the document is enough."""
    if not operation.can_be_tried:
        return ()
    return (
        Sample("Shell", "curl", "huiliu.sh", _curl(operation, origin)),
        Sample("Python", "Python", "huiliu.py", _python(operation, origin)),
        Sample("Java", "Java", "Huiliu.java", _java(operation, origin)),
    )


def credential_lines() -> str:
    """Return how the credential is put into the environment, once before all examples."""
    return _CREDENTIAL


def _curl(operation: Operation, origin: str) -> str:
    call = 'curl -sS -H "Authorization: Bearer $TOKEN"'
    if operation.body_example is None:
        call += f" \\\n  '{origin}{_address(operation)}'"
    else:
        body = shlex.quote(json.dumps(operation.body_example, ensure_ascii=False))
        call += (
            f" -H 'Content-Type: application/json' \\\n  -d {body} \\\n  {origin}{operation.path}"
        )
    return _filled(_CURL, ORIGIN=origin, CALL=call)


def _python(operation: Operation, origin: str) -> str:
    body = json.dumps(operation.body_example, ensure_ascii=False)
    asked = {"limit": str(SHOWN_ROWS), **operation.needed}
    query = json.dumps(asked, ensure_ascii=False)
    parts = {"verify": _PYTHON_VERIFY, "changes": _PYTHON_CHANGES}
    text = _PYTHON + parts.get(operation.name, _PYTHON_PAGES)
    return _filled(text, ORIGIN=origin, PATH=operation.path, QUERY=query, BODY=_in_python(body))


def _java(operation: Operation, origin: str) -> str:
    if operation.body_example is None:
        address = _address(operation)
        return _filled(_JAVA, ORIGIN=origin, ADDRESS=address, CALL="            .GET()")
    body = json.dumps(json.dumps(operation.body_example, ensure_ascii=False), ensure_ascii=False)
    call = (
        '            .header("Content-Type", "application/json")\n'
        f"            .POST(BodyPublishers.ofString({body}))"
    )
    return _filled(_JAVA, ORIGIN=origin, ADDRESS=operation.path, CALL=call)


def _address(operation: Operation) -> str:
    return f"{operation.path}?{urlencode({'limit': SHOWN_ROWS, **operation.needed})}"


def _in_python(body: str) -> str:
    """Return JSON as it stands between triple quotes: its backslashes doubled, no quote lost."""
    return body.replace("\\", "\\\\").replace("'", "\\u0027")


def _filled(text: str, **values: str) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
