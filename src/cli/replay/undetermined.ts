// What an audit log does not tell, in the words of the commands that read one.

import type { UndeterminedReason } from '../../tools/replay/replay.ts'

/** Why an audit log is not sufficient to evaluate rules again. */
export const UNDETERMINED_BECAUSE: Readonly<Record<UndeterminedReason, string>> = {
  path: 'the path was cut off in the log',
  query: 'the query is not in the log, and a list could have been a watch',
  impersonation: 'the log does not contain the whole impersonation',
  condition: '"when" reads what is not in the log',
  'access-review': 'the rule depends on the API server',
  scopes: 'the scopes of the token are not in the log',
  groups: 'groups were cut off, and one of them could be the cause of the change',
  authenticator: 'the route does not have the authenticator that proved the caller',
  time: 'a time limit passed while it was decided',
}
