"""python-zendesk, driven: the calls of its OAuth part that it can make. It knows Basic alone."""

from zendesk import Zendesk, models

from driven import BASE, drive, expect
from support import pinned


class Driven:
    def open(self, account):
        self.account = account
        security = models.Security(
            username=f"{account['email']}/token", password=account["api_token"]
        )
        self.client = Zendesk(security=security, server_url=BASE)

    def me(self):
        expect(self.client.users.show_current_user().user.email, self.account["email"])

    def list_tokens(self):
        page = self.client.o_auth_tokens.list_o_auth_tokens(page_size=2)
        listed = []
        while page is not None:
            listed += page.result.tokens
            page = page.next()
        expect(len({token.id for token in listed}), self.account["tokens"])

    def create_token(self):
        made = self.client.o_auth_tokens.create_o_auth_token(client_id=self.account["client"])
        expect(made.token.client_id, self.account["client"])
        self.made = made.token.id

    def show_token(self):
        shown = self.client.o_auth_tokens.show_token(oauth_token_id=self.made)
        expect(shown.token.id, self.made)

    def revoke_token(self):
        self.client.o_auth_tokens.revoke_o_auth_token(oauth_token_id=self.made)

    def list_clients(self):
        listed = self.client.o_auth_clients.list_o_auth_clients().result.clients
        expect([client.id for client in listed], [self.account["client"]])


drive(Driven(), pinned("python-zendesk"))
