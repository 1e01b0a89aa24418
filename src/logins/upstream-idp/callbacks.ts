// Where upstream IdPs send browsers back to.

/** Below it each upstream IdP has a path of its own, on the issuer's host. */
export const UPSTREAM_CALLBACKS = '/login/callback'
