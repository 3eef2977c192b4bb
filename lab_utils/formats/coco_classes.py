"""COCO's 80 object categories with their ids from 1 to 90, of which ten are left out (`instances_val2017.json`)."""

_BLOCKS = {
    1: "person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant",
    13: "stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe",
    27: "backpack, umbrella",
    31: "handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard,"
    " surfboard, tennis racket, bottle",
    46: "wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza,"
    " donut, cake, chair, couch, potted plant, bed",
    67: "dining table",
    70: "toilet",
    72: "tv, laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator",
    84: "book, clock, vase, scissors, teddy bear, hair drier, toothbrush",
}

NAMES = {first + i: name for first, block in _BLOCKS.items() for i, name in enumerate(block.split(", "))}
"""Category id to name; the place in this order is the class id 0 to 79."""

CLASS_ID = {category: i for i, category in enumerate(NAMES)}
"""Category id to class id, for algorithms that want ids from 0 without gaps."""
