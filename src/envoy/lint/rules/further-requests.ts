// Rules about requests that Envoy sends in addition to the permitted one: mirrored requests and internal
// redirects.

import { when, type Hit, type Rule } from '../rule.ts'
import type { Setting } from '../view/setting.ts'
import type { RouteSubject } from './route.ts'

/** Rules about the routes of connection managers that call Countersign. */
export const furtherRequestRules: readonly Rule<RouteSubject>[] = [
  {
    id: 'requests-mirrored',
    severity: 'warning',
    problem: 'a copy of each permitted request is sent to another cluster',
    risk: 'it carries the identity headers and tokens that authz set for the upstream: a reader of the copy can use them',
    remedy:
      'no request_mirror_policies, or only to a cluster that may have the credentials of this upstream',
    istio: 'VirtualService: http without `mirror` and `mirrors`',
    find: ({ route: { action, host, table, cluster } }) =>
      // The most specific level that has any counts (config.route.v3.RouteAction).
      levelWith('request_mirror_policies', action, host, table)
        .filter((policy) => policy.get('cluster').text !== cluster?.text)
        .map((policy): Hit => ({ at: policy, detail: policy.get('cluster').text })),
  },
  {
    id: 'redirects-followed',
    severity: 'warning',
    problem: 'Envoy follows redirects of the upstream',
    risk: 'an upstream chooses the next request of its callers; authz checks that request too, but without the password or token that it removed',
    remedy: 'no internal_redirect_policy: the client follows the redirect',
    find: ({ route: { action } }) => {
      const policy = action.get('internal_redirect_policy')
      // An older spelling: config.route.v3.RouteAction.internal_redirect_action.
      const former = action.get('internal_redirect_action')
      const follows = former.choice(['PASS_THROUGH_INTERNAL_REDIRECT', 'HANDLE_INTERNAL_REDIRECT'])
      return [
        ...when(policy.isSet, policy),
        ...when(follows === 'HANDLE_INTERNAL_REDIRECT', former),
      ]
    },
  },
]

/** The items of a list, of the first level that has any. */
const levelWith = (name: string, ...levels: readonly Setting[]): readonly Setting[] =>
  levels.map((level) => level.get(name).items()).find(({ length }) => length > 0) ?? []
