"""zdesk, driven: the token API by its generated calls, pages by `get_all_pages`."""

from zdesk import Zendesk

from driven import BASE, drive, expect
from support import pinned


class Driven:
    def open(self, account):
        self.account = account
        if account["sign_in"] == "access token":
            self.client = Zendesk(BASE, zdesk_oauth=account["access_token"])
        else:
            self.client = Zendesk(BASE, account["email"], zdesk_api=account["api_token"])

    def me(self):
        expect(self.client.users_me()["user"]["email"], self.account["email"])

    def list_tokens(self):
        listed = self.client.oauth_tokens_list(per_page=2, get_all_pages=True)["tokens"]
        expect(len({token["id"] for token in listed}), self.account["tokens"])

    def create_token(self):
        wanted = {"token": {"client_id": self.account["client"], "scopes": ["read"]}}
        made = self.client.oauth_token_create(wanted)["token"]
        expect(made["client_id"], self.account["client"])
        self.made = made["id"]

    def show_token(self):
        expect(self.client.oauth_token_show(self.made)["token"]["id"], self.made)

    def revoke_token(self):
        self.client.oauth_token_delete(self.made)

    def list_clients(self):
        listed = self.client.oauth_clients_list()["clients"]
        expect([client["id"] for client in listed], [self.account["client"]])


drive(Driven(), pinned("zdesk"))
