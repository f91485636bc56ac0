package lab

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server is a lab that listens.
type Server struct {
	// URL is what AWS_ENDPOINT_URL must be set to.
	URL string

	http *http.Server
	done chan error
}

// Start serves the lab on addr, for example "127.0.0.1:0".
func (l *Lab) Start(addr string) (*Server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("starting the lab: %w", err)
	}
	s := &Server{
		URL:  "http://" + listener.Addr().String(),
		http: &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second},
		done: make(chan error, 1),
	}
	l.mu.Lock()
	l.base = s.URL
	l.mu.Unlock()
	go func() { s.done <- s.http.Serve(listener) }()
	return s, nil
}

// Close stops listening and drops open connections.
func (s *Server) Close() error {
	if err := s.http.Close(); err != nil {
		return fmt.Errorf("closing the lab: %w", err)
	}
	if err := <-s.done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the lab: %w", err)
	}
	return nil
}

// ServeHTTP answers one API call. Events and messages reach their listeners
// before the answer is written.
func (l *Lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, body, err := l.readRequest(r)
	if req == nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	result, fault := &answer{}, Fault{}
	if err == nil {
		result, fault, err = l.perform(r, req, body)
	} else {
		l.mu.Lock()
		req.id = l.uuid()
		l.mu.Unlock()
	}
	l.deliver()
	switch fault.Kind {
	case TimeoutBefore, TimeoutAfter:
		// The server drops the connection without an answer.
		panic(http.ErrAbortHandler)
	case Malformed:
		_, _ = w.Write([]byte("<?xml version=\"1.0\"?><Garbage><unclosed"))
		return
	default: // the call was answered, well or with an error
	}
	if req.protocol == jsonProtocol {
		writeJSON(w, req, result, err)
		return
	}
	writeXML(w, req, result, err)
}

// perform checks who calls, then what they may, then does it, under the lock.
func (l *Lab) perform(r *http.Request, req *request, body []byte) (*answer, Fault, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	req.id = l.uuid()
	op, known := l.operations[req.service][req.action]
	if !known {
		return nil, Fault{}, failPlain(http.StatusBadRequest, "InvalidAction",
			"The lab does not know the action %s of %q.", req.action, req.service)
	}
	if err := l.authenticate(r, req, body); err != nil {
		l.log(req, Fault{}, err)
		return nil, Fault{}, err
	}
	req.resource = op.name(req)
	fault := l.faultFor(req)
	if fault.Kind == TimeoutBefore {
		l.log(req, fault, nil)
		return nil, fault, nil
	}
	result, err := &answer{}, fault.at(BeforeEffect, req)
	if err == nil {
		fault.bend(req)
		result, err = l.run(op, req)
	}
	took := err
	if err == nil {
		err = fault.at(AfterEffect, req)
	}
	l.log(req, fault, err)
	// What took effect is recorded as such, whatever the caller was told.
	l.record(op, req, took)
	return result, fault, err
}

func (l *Lab) run(op operation, req *request) (*answer, error) {
	if op.target != nil {
		if err := l.authorize(op, req); err != nil {
			return nil, err
		}
	}
	result, err := op.run(l, req)
	if err != nil {
		var p *problem
		if !errors.As(err, &p) {
			err = internalFailure(err)
		}
		return nil, err
	}
	return result, nil
}
