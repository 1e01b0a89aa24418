// What a test of an option of the chart is made of: its values, and what objects have by them. The real API server
// validates each, too (cluster.test.ts).

/** A part of an object, found by its kind and name. */
export interface PartOfObject {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly annotations?: object
    readonly labels?: object
  }
  readonly [field: string]: unknown
}

/** What the chart renders with some values. */
export interface Option {
  readonly name: string
  readonly values: object
  /** Parts of the objects, which may have more. */
  readonly has: readonly PartOfObject[]
}

/** A Deployment with these fields of its `spec`. */
export const deployment = (part: 'authz' | 'envoy', fields: object): PartOfObject => ({
  kind: 'Deployment',
  metadata: { name: `countersign-${part}` },
  spec: fields,
})

/** A Deployment whose pods have these fields. */
export const pod = (part: 'authz' | 'envoy', spec: object, metadata: object = {}): PartOfObject =>
  deployment(part, { template: { metadata, spec } })

const PARTS = ['authz', 'envoy'] as const

/** The option for authz and for Envoy at once. */
export const ofBoth = (
  name: string,
  values: object,
  has: (part: 'authz' | 'envoy') => PartOfObject,
): Option => ({
  name,
  values: Object.fromEntries(PARTS.map((part) => [part, values])),
  has: PARTS.map(has),
})

/** The selector of the pods of a part. */
export const SELECTED = (part: string): { readonly matchLabels: object } => ({
  matchLabels: {
    'app.kubernetes.io/name': 'countersign',
    'app.kubernetes.io/instance': 'countersign',
    'app.kubernetes.io/component': part,
  },
})
