mod authorization_code;
mod client_credentials;
mod refresh_token;
