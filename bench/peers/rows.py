"""The rows of the table: what is run, by how many sessions, over how many users."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    key: str
    title: str
    # The scenario as the load generator knows it.
    scenario: str
    sessions: int
    users: int
    # Mail is added: new users in every round, so that who was faster is not punished for it.
    grows: bool = False
    # The echo server can play it.
    echo: bool = False
    arguments: tuple = field(default=())

    def user(self, number):
        return f"{self.key}{number}@localhost"

    def first_user(self, round_number):
        return 1 + round_number * self.users if self.grows else 1

    def all_users(self, rounds):
        last = self.users * (rounds if self.grows else 1)
        return [self.user(number) for number in range(1, last + 1)]


ROWS = (
    Row("login", "LOGIN, LOGOUT", "login-logout", 50, 50, echo=True),
    Row("noop", "NOOP", "noop", 20, 20, echo=True),
    Row("fetch", "FETCH BODY.PEEK[] of 4 KB", "fetch-body", 20, 20, echo=True),
    Row("fifty", "STORE, FETCH: 50 in a mailbox", "shared-mailbox", 50, 1),
    Row("thousand", "STORE, FETCH: 1,000 in a mailbox", "shared-mailbox", 1000, 1),
    Row("lmtp", "LMTP of 4 KB, 64 senders", "lmtp", 64, 64, grows=True),
    Row("append", "APPEND of 4 KB, 64 sessions", "append", 64, 64, grows=True),
    Row("list", "LIST", "list", 20, 20),
    Row("headers", "FETCH of 50 headers", "fetch-headers", 20, 20),
    Row("search", "SEARCH TEXT of 200 messages", "search", 10, 10),
    Row("sync", "STORE and sync of 200 messages", "sync", 10, 10, arguments=("--messages=200",)),
    Row("notify", "flag told to 99 in IDLE", "idle-notify", 100, 1),
    Row("office", "office mix", "office", 100, 50, arguments=("--messages=50",)),
    Row("mobile", "mobile mix", "mobile", 200, 50, arguments=("--messages=50",)),
)

IDLE_USERS = 100


def idle_users():
    return [f"idle{number}@localhost" for number in range(IDLE_USERS)]
