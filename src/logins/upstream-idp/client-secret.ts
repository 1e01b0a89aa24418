// How a client authenticates with its secret at a token endpoint.

import { ClientSecretBasic, ClientSecretPost, type ClientAuth } from 'openid-client'

/** As the provider has it; `client_secret_basic` where it does not say (OpenID Connect Discovery §3). */
export const withSecret = (secret: string): ClientAuth => {
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)]
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const chosen = methods.includes('client_secret_basic') ? basic : post
    chosen(server, ...rest)
  }
}
