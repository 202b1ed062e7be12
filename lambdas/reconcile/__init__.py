"""The reconcile function: on a schedule, queues what differs and tells how far behind it is."""
