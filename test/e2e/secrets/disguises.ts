// Ways to ask a Kubernetes API server for a secret: by the verbs of reading, in every spelling, and by the
// verbs of writing whose answer is the object (k8s.io/apiserver, pkg/endpoints/handlers).

import type { RequestOptions } from '../../servers/client.ts'

/** The path of the namespace of the secret. */
export const IN = '/api/v1/namespaces/default'

/** The value in the secret, as JSON has it (base64) and as protobuf has it. */
export const TEXT = 'the launch code'
export const VALUE = Buffer.from(TEXT).toString('base64')

/** Ends a watch. */
export const SHORT = 'timeoutSeconds=1'

/** A request that a caller sends to read a secret. */
export interface Disguise extends RequestOptions {
  readonly name: string
  readonly path: string
  /** Whether the answer of the API server itself holds the value of the secret. */
  readonly tells: boolean
  /** By which reason it is refused; default: by the rule. */
  readonly reason?: RegExp
}

const AMBIGUOUS = /^400 (ambiguous|malformed)-(path|query)$|^400 by Envoy$/
// Envoy normalises these paths before authz sees them, or redirects to its own form (307).
const NORMALISED = /^403 rule-denied$|^30[17] by Envoy$|^400 /

/** Requests whose verb is one of reading: get, list or watch; and those that only look like one. */
export const READS: readonly Disguise[] = [
  { name: 'a list of secrets', path: `${IN}/secrets`, tells: true },
  { name: 'a list with HEAD', method: 'HEAD', path: `${IN}/secrets`, tells: false },
  { name: 'a list of all namespaces', path: '/api/v1/secrets', tells: true },
  { name: 'a single one', path: `${IN}/secrets/launch`, tells: true },
  { name: 'a watch of secrets', path: `${IN}/secrets?watch=1&${SHORT}`, tells: true },
  { name: 'a watch in words', path: `${IN}/secrets?watch=true&${SHORT}`, tells: true },
  { name: 'a watch without a value', path: `${IN}/secrets?watch&${SHORT}`, tells: true },
  { name: 'a watch of all', path: `/api/v1/secrets?watch=1&${SHORT}`, tells: true },
  { name: 'the old watch of all', path: `/api/v1/watch/secrets?${SHORT}`, tells: true },
  {
    name: 'the old watch of a namespace',
    path: `/api/v1/watch/namespaces/default/secrets?${SHORT}`,
    tells: true,
  },
  {
    name: 'the old watch of one',
    path: `/api/v1/watch/namespaces/default/secrets/launch?${SHORT}`,
    tells: true,
  },
  {
    name: 'a list by its field',
    path: `${IN}/secrets?fieldSelector=metadata.name%3Dlaunch`,
    tells: true,
  },
  {
    name: 'a list by its field, not encoded',
    path: `${IN}/secrets?fieldSelector=metadata.name=launch`,
    tells: true,
  },
  {
    name: 'a watch by its field, of all namespaces',
    path: `/api/v1/secrets?fieldSelector=metadata.name%3Dlaunch&watch=1&${SHORT}`,
    tells: true,
  },
  { name: 'a page of a list', path: `${IN}/secrets?limit=1`, tells: true },
  { name: 'a slash at the end', path: `${IN}/secrets/`, tells: true },
  { name: 'a slash behind a single one', path: `${IN}/secrets/launch/`, tells: true },
  { name: 'a letter encoded', path: `${IN}/%73ecrets`, tells: true },
  { name: 'every letter encoded', path: `${IN}/%73%65%63%72%65%74%73/launch`, tells: true },
  { name: 'an encoded prefix', path: `/%61pi/v1/secrets`, tells: true },
  {
    name: 'a path that is encoded twice',
    path: `${IN}/%2573ecrets`,
    tells: false,
    reason: AMBIGUOUS,
  },
  { name: 'a resource in capitals', path: `${IN}/Secrets`, tells: false, reason: AMBIGUOUS },
  { name: 'a prefix in capitals', path: '/API/v1/secrets', tells: false, reason: AMBIGUOUS },
  { name: 'a doubled slash', path: '//api/v1/secrets', tells: true, reason: NORMALISED },
  { name: 'a doubled slash inside', path: '/api/v1//secrets', tells: true, reason: NORMALISED },
  { name: 'dot segments at the end', path: `${IN}/secrets/.`, tells: true, reason: NORMALISED },
  {
    name: 'a segment that is left again',
    path: `${IN}/pods/../secrets`,
    tells: true,
    reason: NORMALISED,
  },
  {
    name: 'dot segments behind one',
    path: `${IN}/secrets/x/../launch`,
    tells: true,
    reason: NORMALISED,
  },
  {
    name: 'encoded dot segments',
    path: `${IN}/pods/%2e%2e/secrets`,
    tells: true,
    reason: NORMALISED,
  },
  { name: 'an encoded slash', path: `${IN}%2fsecrets`, tells: false, reason: NORMALISED },
  { name: 'a backslash in the path', path: `${IN}\\secrets`, tells: true, reason: NORMALISED },
  { name: 'a path parameter', path: `${IN}/secrets;x=1`, tells: false, reason: AMBIGUOUS },
  { name: 'a subresource of a secret', path: `${IN}/secrets/launch/status`, tells: false },
  {
    name: 'a watch that is taken back',
    path: `${IN}/secrets?watch=true&watch=false&${SHORT}`,
    tells: true,
    reason: /^403 rule-denied$|^400 ambiguous-query$/,
  },
  {
    name: 'a query of semicolons',
    path: `${IN}/secrets?x;watch=1&${SHORT}`,
    tells: true,
    reason: /^403|^400/,
  },
]

const patch = (type: string): NonNullable<RequestOptions['headers']> => [
  ['content-type', `application/${type}`],
]

const MERGE = patch('merge-patch+json')
const ONE = `${IN}/secrets/launch`
const APPLIED = 'apiVersion: v1\nkind: Secret\nmetadata: { name: launch, namespace: default }\n'

/** Requests that write, or would without `dryRun`, and are answered with the object. */
export const WRITES: readonly Disguise[] = [
  {
    name: 'a merge patch of nothing',
    method: 'PATCH',
    path: `${ONE}?dryRun=All`,
    headers: MERGE,
    body: '{}',
    tells: true,
  },
  {
    name: 'a patch that is not a dry run',
    method: 'PATCH',
    path: ONE,
    headers: MERGE,
    body: '{"metadata":{"labels":{"a":"b"}}}',
    tells: true,
  },
  {
    name: 'a strategic merge patch',
    method: 'PATCH',
    path: `${ONE}?dryRun=All`,
    headers: patch('strategic-merge-patch+json'),
    body: '{}',
    tells: true,
  },
  {
    name: 'a JSON patch',
    method: 'PATCH',
    path: `${ONE}?dryRun=All`,
    headers: patch('json-patch+json'),
    body: '[]',
    tells: true,
  },
  {
    name: 'a server-side apply',
    method: 'PATCH',
    path: `${ONE}?dryRun=All&fieldManager=x`,
    headers: patch('apply-patch+yaml'),
    body: APPLIED,
    tells: true,
  },
  {
    name: 'a patch answered in protobuf',
    method: 'PATCH',
    path: `${ONE}?dryRun=All`,
    headers: [...MERGE, ['accept', 'application/vnd.kubernetes.protobuf']],
    body: '{}',
    tells: true,
  },
  {
    name: 'a patch answered as a table of objects',
    method: 'PATCH',
    path: `${ONE}?dryRun=All&includeObject=Object`,
    headers: [...MERGE, ['accept', 'application/json;as=Table;g=meta.k8s.io;v=v1']],
    body: '{}',
    tells: true,
  },
  // The answer to a DELETE is the object where the deletion waits for a finalizer, which these add
  // (k8s.io/apiserver, pkg/registry/generic/registry/store.go, deletionFinalizersForGarbageCollection).
  {
    name: 'a deletion in the foreground',
    method: 'DELETE',
    path: `${ONE}?dryRun=All&propagationPolicy=Foreground`,
    tells: true,
  },
  {
    name: 'a deletion that orphans',
    method: 'DELETE',
    path: `${ONE}?dryRun=All&propagationPolicy=Orphan`,
    tells: true,
  },
  {
    name: 'a deletion of all of them',
    method: 'DELETE',
    path: `${IN}/secrets?dryRun=All`,
    tells: true,
  },
  {
    name: 'a deletion of all with a certain name',
    method: 'DELETE',
    path: `${IN}/secrets?dryRun=All&fieldSelector=metadata.name%3Dlaunch`,
    tells: true,
  },
]
