// What client and server of the bench have in common.

/** The path of `envoy.service.auth.v3.Authorization.Check`. */
export const CHECK_METHOD = '/envoy.service.auth.v3.Authorization/Check'
