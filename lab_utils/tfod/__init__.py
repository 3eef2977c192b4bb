"""What TensorFlow's Object Detection API (TFOD) reads and writes, without TensorFlow."""
