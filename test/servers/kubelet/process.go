package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/creack/pty"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// processes are the leaders of the sessions that run.
var processes sync.Map

func killProcesses() {
	processes.Range(func(pid, _ any) bool {
		_ = syscall.Kill(-pid.(int), syscall.SIGKILL)
		return true
	})
}

// newCommand makes a command that is the leader of a session of its own.
func newCommand(folder string, words []string) *exec.Cmd {
	command := exec.Command(words[0], words[1:]...)
	command.Dir = folder
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TERM=dumb", "PS1=$ "}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	return command
}

// runPiped runs a command to its end, which is the error, if it is not 0.
func runPiped(command *exec.Cmd, in io.Reader, out, errOut io.Writer) error {
	command.Stdout, command.Stderr = out, errOut
	// Not by command.Stdin: Wait would then wait for the caller's input to end.
	if in != nil {
		stdin, err := command.StdinPipe()
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(stdin, in)
			_ = stdin.Close()
		}()
	}
	if err := command.Start(); err != nil {
		return err
	}
	return wait(command)
}

// runAtTerminal is runPiped at a terminal of its own, which hangs up when the input ends.
func runAtTerminal(command *exec.Cmd, in io.Reader, out io.Writer, resize <-chan remotecommand.TerminalSize) error {
	command.SysProcAttr.Setctty = true
	terminal, err := pty.StartWithAttrs(command, nil, command.SysProcAttr)
	if err != nil {
		return err
	}
	go followSize(terminal, resize)
	if in != nil {
		go func() {
			_, _ = io.Copy(terminal, in)
			_ = terminal.Close()
		}()
	}
	shown := make(chan struct{})
	go func() {
		_, _ = io.Copy(out, terminal)
		close(shown)
	}()
	err = wait(command)
	<-shown
	_ = terminal.Close()
	return err
}

func followSize(terminal *os.File, resize <-chan remotecommand.TerminalSize) {
	for size := range resize {
		_ = pty.Setsize(terminal, &pty.Winsize{Rows: size.Height, Cols: size.Width})
	}
}

// wait gives the error that tells the caller with which code a command has ended.
func wait(command *exec.Cmd) error {
	pid := command.Process.Pid
	processes.Store(pid, true)
	defer processes.Delete(pid)
	err := command.Wait()
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return err
	}
	code := ended.ExitCode()
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int(status.Signal())
	}
	return utilexec.CodeExitError{Err: err, Code: code}
}
