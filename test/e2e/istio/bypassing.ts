// What other tenants of the gateway may configure next to Countersign, and what callers may send to steer
// it.

import { z } from 'zod'
import { published, type KubeObject } from './files.ts'

/** A host of an application that answers as a test wants. */
export const MOVING = 'moving.example.org'
/** It is Countersign's route `reports`, whose requests get a token of its issuer. */
export const moved: KubeObject = {
  ...published(MOVING, {}),
  spec: {
    hosts: [MOVING],
    gateways: ['countersign'],
    http: [
      {
        name: 'reports',
        route: [{ destination: { host: 'moving.apps.svc.cluster.local', port: { number: 8081 } } }],
        retries: { attempts: 2, retryOn: '5xx' },
      },
    ],
  },
}
/** What turns ext_authz off for a route. */
export const PER_ROUTE = {
  'envoy.filters.http.ext_authz': {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
    disabled: true,
  },
}

/** The head of an object in the gateway's namespace. */
export const object = (apiVersion: string, kind: string, name: string) => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'istio-ingress' },
})

/** The routes of a VirtualService. */
export const httpOf = ({ spec }: KubeObject): readonly object[] =>
  z.object({ http: z.array(z.looseObject({})) }).parse(spec).http

/** An EnvoyFilter of another operator, with one patch. */
const patching = (patch: object): KubeObject => ({
  ...object('networking.istio.io/v1alpha3', 'EnvoyFilter', 'another'),
  spec: { priority: 10, configPatches: [patch] },
})

/** One that changes every route. */
export const onRoutes = (value: object): KubeObject =>
  patching({
    applyTo: 'HTTP_ROUTE',
    match: { context: 'GATEWAY' },
    patch: { operation: 'MERGE', value },
  })

/** One that changes ext_authz. */
export const onAuthz = (patch: object): KubeObject =>
  patching({
    applyTo: 'HTTP_FILTER',
    match: {
      context: 'GATEWAY',
      listener: {
        filterChain: {
          filter: {
            name: 'envoy.filters.network.http_connection_manager',
            subFilter: { name: 'envoy.filters.http.ext_authz' },
          },
        },
      },
    },
    patch,
  })

/** Headers by which a caller could steer Envoy. */
export const STEERING = [
  'X-Envoy-Internal',
  'X-Envoy-Original-Path',
  'X-Envoy-Original-Url',
  'X-Envoy-Retry-On',
  'X-Envoy-Max-Retries',
  'X-Envoy-Upstream-Alt-Stat-Name',
  'X-Envoy-Upstream-Rq-Timeout-Ms',
  'X-Envoy-Upstream-Stream-Duration-Ms',
  'X-Envoy-Hedge-On-Per-Try-Timeout',
  'X-Envoy-Decorator-Operation',
  'X-Envoy-Force-Trace',
  'X-Envoy-External-Address',
  'X-Envoy-Auth-Partial-Body',
  'X-Envoy-Attempt-Count',
  'X-Envoy-Peer-Metadata',
  'X-Envoy-IP-Tags',
]
