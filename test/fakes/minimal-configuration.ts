// The least configuration of authz that is accepted.

/** One route, with the passwords of `users.yaml` next to it. */
export const MINIMAL_CONFIGURATION = `
version: 1
listen: { authz: unix:authz.sock }
authenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]
`
