"""The Ruby gem `zendesk_api`, replayed and driven."""

from driven import drive
from zendesk_api import VERSION, ZendeskApi

drive(ZendeskApi(), f"zendesk_api {VERSION}")
