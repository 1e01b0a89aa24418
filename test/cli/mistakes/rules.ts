// Expressions that cannot be compiled, and what never decides.

import { BASE, ENVOY, type Mistake } from './site.ts'

const when = (expression: string): Mistake['edit'] => [['groups: [ops]', `when: ${expression}`]]

/** The table. */
export const RULE_MISTAKES: readonly Mistake[] = [
  {
    name: 'a field that does not exist',
    edit: when('identity.usr == "alice"'),
    want: [
      'countersign.yaml:14:9: routes[0].authorize[1].when: No such key: usr (at character 10)',
      '1 problem found.',
    ],
  },
  {
    name: 'an expression of another type',
    edit: when('identity.user'),
    want: [
      'countersign.yaml:14:9: routes[0].authorize[1].when: yields string, where bool belongs',
      '1 problem found.',
    ],
  },
  {
    name: 'an expression that does not end',
    edit: when('identity.user == ('),
    want: [
      'countersign.yaml:14:9: routes[0].authorize[1].when: Unexpected token: EOF (at character 19)',
      '1 problem found.',
    ],
  },
  {
    name: 'a text without quotes',
    edit: when('identity.user == alice'),
    want: [
      'countersign.yaml:14:9: routes[0].authorize[1].when: Unknown variable: alice (at character 18)',
      '1 problem found.',
    ],
  },
  {
    name: 'a rule behind one that allows all',
    edit: [['      - deny:', '      - allow: all\n      - deny:']],
    valid: true,
    want: [
      'countersign.yaml:12:9: warning: routes[0].authorize[1].deny: "no-secrets" never decides: "all" comes first and matches every request that it matches. Exchange them, or remove one',
      'countersign.yaml:14:9: warning: routes[0].authorize[2].allow: "operators" never decides: "all" comes first and matches every request that it matches. Exchange them, or remove one',
      'countersign.yaml:16:9: warning: routes[0].authorize[3].allow: "readers" never decides: "all" comes first and matches every request that it matches. Exchange them, or remove one',
    ],
  },
  {
    name: 'a rule behind the same one',
    edit: [
      [
        '      - allow: readers',
        '      - allow: operators-again\n        groups: [ops]\n        methods: [GET]\n      - allow: readers',
      ],
    ],
    valid: true,
    want: [
      'countersign.yaml:15:9: warning: routes[0].authorize[2].allow: "operators-again" never decides: "operators" comes first and matches every request that it matches. Exchange them, or remove one',
    ],
  },
  {
    name: 'two rules with one name',
    edit: [['allow: readers', 'allow: operators']],
    want: [
      'countersign.yaml:15:9: routes[0].authorize[2].allow: "operators" is also the name of an earlier rule of this route: the audit log could not distinguish them. Rename one',
      '1 problem found.',
    ],
  },
  {
    name: 'a rule that neither allows nor denies',
    edit: [['allow: readers', 'name: readers']],
    want: [
      'countersign.yaml:15:9: routes[0].authorize[2].name: unknown key; did you mean "names"?',
      'countersign.yaml:15:9: routes[0].authorize[2]: must have exactly one of "allow" and "deny", whose value is the rule’s name',
      '2 problems found.',
    ],
  },
  {
    name: 'a matcher of Kubernetes on another route',
    edit: [['groups: [ops]', 'verbs: [get]']],
    want: [
      'countersign.yaml:14:9: routes[0].authorize[1].verbs: is there on routes of "kind: kubernetes"',
      '1 problem found.',
    ],
  },
  {
    name: 'two routes with the same host',
    edit: `${BASE}  - name: web\n    match: { hosts: [api.example.org] }\n    authenticate: [staff]\n    authorize: [{ allow: all }]\n`,
    valid: true,
    want: [
      'countersign.yaml:19:5: warning: routes[1].match: "web" is never chosen by its "match": "api" comes first and matches the same hosts and paths. Narrow that one, or exchange them',
    ],
  },
  {
    name: 'two routes with one name',
    edit: `${BASE}  - name: api\n    match: { hosts: [web.example.org] }\n    authenticate: [staff]\n    authorize: [{ allow: all }]\n`,
    want: [
      'countersign.yaml:18:5: routes[1].name: "api" names an earlier route too',
      '1 problem found.',
    ],
  },
  {
    name: 'an authenticator that is not used',
    edit: [['[staff, cert]', '[staff]']],
    valid: true,
    want: [
      'countersign.yaml:5:3: warning: authenticators.cert: is not used: neither "authenticate" of a route nor "issuer.login" names it',
    ],
  },
  {
    name: 'an upstream that is not used',
    edit: [
      [
        'version: 1',
        `version: 1\n${ENVOY.replace('{ api:', "{ web: { address: '127.0.0.1:6444', ca: ca.pem }, api:")}`,
      ],
    ],
    valid: true,
    want: [
      'countersign.yaml:4:16: warning: envoy.upstreams.web: is not used: no route has this upstream',
    ],
  },
  {
    name: 'an authenticator behind one that accepts every caller',
    edit: [
      ['  cert: {', '  any: { anonymous: {} }\n  cert: {'],
      ['[staff, cert]', '[staff, any, cert]'],
    ],
    want: [
      'countersign.yaml:10:27: routes[0].authenticate[1]: accepts every caller, so the authenticators after it are never used. Put it last',
      '1 problem found.',
    ],
  },
  {
    name: 'a rule for an authenticator that the route has not',
    edit: [['groups: [ops]', 'authenticators: [tok]']],
    want: [
      'countersign.yaml:14:26: routes[0].authorize[1].authenticators[0]: "tok" never authenticates callers of this route: it is not in "authenticate", or not the first of "all" (there are: staff, cert)',
      '1 problem found.',
    ],
  },
]
