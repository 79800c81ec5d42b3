package engine

import "errors"

// What an engine can answer. Adapters map their client's errors to these; the engine's own words stay in the message.
var (
	// ErrNotFound: there is no such container, network, volume or image.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the name is taken, or the object's state does not allow it.
	ErrConflict = errors.New("conflict")
	// ErrInUse: something still uses the object.
	ErrInUse = errors.New("in use")
	// ErrInvalid: the engine refuses the request as it is.
	ErrInvalid = errors.New("invalid")
	// ErrDenied: the registry or the engine does not let this user do it.
	ErrDenied = errors.New("denied")
	// ErrUnavailable: the engine cannot be reached, or the connection to it was lost.
	ErrUnavailable = errors.New("engine unavailable")
	// ErrFailing: the engine says that something went wrong in it, and not that the request was at fault.
	ErrFailing = errors.New("engine failing")
	// ErrUnsupported: the engine is too old for it or was built without it.
	ErrUnsupported = errors.New("not supported by this engine")
)
