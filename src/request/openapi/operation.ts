// What is known of one operation of an API description, and of a request for it.

/** Alternatives, of which one must be granted whole. One that is empty: no scope is needed. */
export type Scopes = readonly (readonly string[])[]

/** One operation: a method and a path template. */
export interface Operation {
  /** Its `operationId`; where the document gives none, `GET /users/{id}`. */
  readonly id: string
  /** Upper case. */
  readonly method: string
  /** As in the document, without the base path. */
  readonly template: string
  readonly tags: readonly string[]
  readonly deprecated: boolean
  /** From `security`. */
  readonly scopes: Scopes
  /**
   * Whether the last parameter takes any number of segments. OpenAPI cannot say so. The API server
   * of Kubernetes serves `…/proxy/{path:*}` and describes it as `…/proxy/{path}` with
   * `x-kubernetes-action: connect` (k8s.io/apiserver, pkg/endpoints/installer.go).
   */
  readonly openEnded?: boolean
  /**
   * The base paths of its own `servers`, where they are not that of the document. Requests for it, here
   * and there, are refused: whether this route receives them is not known.
   */
  readonly elsewhere?: readonly string[]
}

/** The operation that a request is for. */
export interface OperationMatch {
  readonly operation: Operation
  /** The values of the template's parameters, decoded. */
  readonly parameters: Readonly<Record<string, string>>
}
