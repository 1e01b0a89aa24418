package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// container is a main process, with its log and whoever is attached.
type container struct {
	spec  containerSpec
	stdin io.Writer
	// resize has the sizes of the terminal, where there is one.
	resize chan remotecommand.TerminalSize
	// ended is closed once the main process is gone.
	ended chan struct{}

	mutex    sync.Mutex
	log      *os.File
	attached map[io.Writer]bool
}

func startContainer(spec containerSpec) (*container, error) {
	log, err := os.Create(spec.Log)
	if err != nil {
		return nil, err
	}
	input, stdin := io.Pipe()
	started := &container{
		spec:     spec,
		stdin:    stdin,
		resize:   make(chan remotecommand.TerminalSize),
		ended:    make(chan struct{}),
		log:      log,
		attached: map[io.Writer]bool{},
	}
	command := newCommand(spec.Folder, spec.Command)
	out, errOut := started.output("stdout"), started.output("stderr")
	go func() {
		defer close(started.ended)
		if spec.TTY {
			_ = runAtTerminal(command, input, out, started.resize)
		} else {
			_ = runPiped(command, input, out, errOut)
		}
	}()
	return started, nil
}

// output goes to the log, a line at a time as runtimes write it, and at once to whoever is attached.
func (c *container) output(stream string) io.Writer {
	lines, writer := io.Pipe()
	go func() {
		scanner := bufio.NewScanner(lines)
		for scanner.Scan() {
			now := time.Now().UTC().Format(time.RFC3339Nano)
			fmt.Fprintf(c.log, "%s %s F %s\n", now, stream, scanner.Text())
		}
	}()
	return io.MultiWriter(writer, audience{c})
}

// audience is whoever is attached.
type audience struct{ of *container }

func (a audience) Write(text []byte) (int, error) {
	a.of.mutex.Lock()
	defer a.of.mutex.Unlock()
	for writer := range a.of.attached {
		if _, err := writer.Write(text); err != nil {
			delete(a.of.attached, writer)
		}
	}
	return len(text), nil
}

// attach lasts until the container has ended, or the caller is gone.
func (c *container) attach(ctx context.Context, in io.Reader, out io.Writer, resize <-chan remotecommand.TerminalSize) {
	c.mutex.Lock()
	c.attached[out] = true
	c.mutex.Unlock()
	defer func() {
		c.mutex.Lock()
		delete(c.attached, out)
		c.mutex.Unlock()
	}()
	if in != nil {
		go func() { _, _ = io.Copy(c.stdin, in) }()
	}
	for {
		select {
		case size, more := <-resize:
			if !more {
				resize = nil
				continue
			}
			select {
			case c.resize <- size:
			case <-c.ended:
			}
		case <-c.ended:
			return
		case <-ctx.Done():
			return
		}
	}
}
