// What a server proves itself with, and whose client certificates it takes: PEM, which changes while it
// serves.

import type { experimental } from '@grpc/grpc-js'
import type { ServerTls } from './listen.ts'

/**
 * TLS material of a server that is replaced as a whole: open connections continue, later handshakes
 * use the new one. gRPC reads it through this interface (gRFC A29).
 */
export class ReplaceableTls implements experimental.CertificateProvider {
  readonly #caListeners = new Set<experimental.CaCertificateUpdateListener>()
  readonly #identityListeners = new Set<experimental.IdentityCertificateUpdateListener>()
  readonly #others = new Set<(tls: ServerTls) => void>()
  #tls: ServerTls

  constructor(tls: ServerTls) {
    this.#tls = tls
  }

  /** The material of handshakes from now on. */
  get current(): ServerTls {
    return this.#tls
  }

  /** Calls the listener with each material that replaces another. */
  onReplaced(listener: (tls: ServerTls) => void): void {
    this.#others.add(listener)
  }

  /** Puts other material in its place, which has to be usable: it is not tried here. */
  replace(tls: ServerTls): void {
    this.#tls = tls
    for (const listener of this.#others) listener(tls)
    for (const listener of this.#identityListeners) listener(this.#identity())
    for (const listener of this.#caListeners) listener(this.#ca())
  }

  addCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#caListeners.add(listener)
    // The caller that adds a listener is not ready yet to be called.
    process.nextTick(() => listener(this.#ca()))
  }

  removeCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#caListeners.delete(listener)
  }

  addIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.#identityListeners.add(listener)
    process.nextTick(() => listener(this.#identity()))
  }

  removeIdentityCertificateListener(
    listener: experimental.IdentityCertificateUpdateListener,
  ): void {
    this.#identityListeners.delete(listener)
  }

  #ca(): experimental.CaCertificateUpdate {
    return { caCertificate: this.#tls.clientCa }
  }

  #identity(): experimental.IdentityCertificateUpdate {
    const { certificate, key } = this.#tls
    return { certificate, privateKey: key }
  }
}
