package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// The kubelet's own (pkg/kubelet/server, 1.37).
const (
	idleTimeout     = 4 * time.Hour
	creationTimeout = remotecommand.DefaultStreamCreationTimeout
)

type kubelet struct {
	containers map[string]*container
}

func (k *kubelet) routes() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	routes.HandleFunc("/exec/{namespace}/{pod}/{container}", k.serveExec)
	routes.HandleFunc("/attach/{namespace}/{pod}/{container}", k.serveAttach)
	routes.HandleFunc("/portForward/{namespace}/{pod}", k.servePortForward)
	routes.HandleFunc("/containerLogs/{namespace}/{pod}/{container}", k.serveLogs)
	return routes
}

func nameOf(request *http.Request) string {
	return request.PathValue("namespace") + "/" + request.PathValue("pod") + "/" + request.PathValue("container")
}

func (k *kubelet) serveExec(answer http.ResponseWriter, request *http.Request) {
	options, err := remotecommand.NewOptions(request)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	command := request.URL.Query()["command"]
	remotecommand.ServeExec(answer, request, k, nameOf(request), "", "", command, options,
		idleTimeout, creationTimeout, remotecommand.SupportedStreamingProtocols)
}

// ExecInContainer implements remotecommand.Executor.
func (k *kubelet) ExecInContainer(_ context.Context, name, _, _ string, words []string, in io.Reader, out, errOut io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	target, err := k.find(name)
	if err != nil {
		return err
	}
	command := newCommand(target.spec.Folder, words)
	if tty {
		return runAtTerminal(command, in, out, resize)
	}
	// An interface that holds nothing is not nil.
	var stdout, stderr io.Writer
	if out != nil {
		stdout = out
	}
	if errOut != nil {
		stderr = errOut
	}
	return runPiped(command, in, stdout, stderr)
}

func (k *kubelet) serveAttach(answer http.ResponseWriter, request *http.Request) {
	options, err := remotecommand.NewOptions(request)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeAttach(answer, request, k, nameOf(request), "", "", options,
		idleTimeout, creationTimeout, remotecommand.SupportedStreamingProtocols)
}

// AttachContainer implements remotecommand.Attacher.
func (k *kubelet) AttachContainer(ctx context.Context, name, _, _ string, in io.Reader, out, _ io.WriteCloser, _ bool, resize <-chan remotecommand.TerminalSize) error {
	target, err := k.find(name)
	if err != nil {
		return err
	}
	target.attach(ctx, in, out, resize)
	return nil
}

func (k *kubelet) servePortForward(answer http.ResponseWriter, request *http.Request) {
	options, err := portforward.NewV4Options(request)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(answer, request, k, request.PathValue("pod"), "", options,
		idleTimeout, creationTimeout, portforward.SupportedProtocols)
}

// PortForward implements portforward.PortForwarder.
func (k *kubelet) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	defer connection.Close()
	go func() {
		_, _ = io.Copy(connection, stream)
		_ = connection.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, connection)
	return err
}

func (k *kubelet) find(name string) (*container, error) {
	target, found := k.containers[name]
	if !found {
		return nil, fmt.Errorf("no container %s", name)
	}
	return target, nil
}
