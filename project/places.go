package project

// places knows where things of the model stand in the files.
type places struct{}
