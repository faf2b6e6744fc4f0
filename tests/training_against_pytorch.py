# SPDX-License-Identifier: GPL-3.0-or-later
"""training_against_pytorch.py TRAINING_TOOL: the same network, weights and batch in PyTorch: 50 steps of SGD give the same losses within 1 %, the trained
models the same answers; any number of threads gives the same bits, and so does a run that was broken off and taken up again; on larger images, whose
work is cut into bands, too, and batch normalization that convolutions do in passing is the same in less memory. Skipped without PyTorch."""
import os, subprocess, sys, tempfile

try:
    import numpy as np
    import torch
    import onnxruntime
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
import small_networks

TOOL = sys.argv[1]
STEPS, RATE = 50, 0.02


def run(path, batch, *rest, steps=STEPS, **environment):
    result = subprocess.run([TOOL, path, path + ".images", path + ".targets", str(batch), str(steps), str(RATE), *rest], capture_output=True, text=True,
                            env={**os.environ, **environment})
    assert result.returncode == 0, result.stderr
    return result


def train(*arguments, **more):
    return run(*arguments, **more).stdout.split("\n")[:-1]


def save(network, path, images, targets):
    network.save(path, *images.shape[2:])
    images.numpy().tofile(path + ".images")
    targets.numpy().tofile(path + ".targets")


def torch_losses(network, images, targets):
    optimizer = torch.optim.SGD([{"params": [p for p in network.parameters() if p.dim() > 1], "weight_decay": 1e-4},
                                 {"params": [p for p in network.parameters() if p.dim() <= 1]}], lr=RATE, momentum=0.9, nesterov=True)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = -(targets * torch.log_softmax(network(images), 1)).sum(1).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


def main():
    torch.manual_seed(3)
    torch.set_num_threads(2)
    batch, size = 12, 40
    network = small_networks.Network(small_networks.small())
    images = torch.randn(batch, 3, size, size)
    targets = torch.nn.functional.one_hot(torch.arange(batch) % 10, 10).float()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "small.onnx")
        network.train()
        save(network, path, images, targets)
        one = train(path, batch, "1", path + ".one.onnx")
        three = train(path, batch, "3", path + ".three.onnx")
        assert one == three, "depends on the number of threads"
        assert open(path + ".one.onnx", "rb").read() == open(path + ".three.onnx", "rb").read(), "models depend on the number of threads"

        losses, wanted = np.array([float(line) for line in one]), torch_losses(network, images, targets)
        worst = np.max(np.abs(losses - wanted) / wanted[0])
        print(f"first loss {losses[0]:.7g}, PyTorch {wanted[0]:.7g}; last {losses[-1]:.5g}, {wanted[-1]:.5g}; worst difference {worst:.2g} of the first")
        assert abs(losses[0] - wanted[0]) < 1e-5 * wanted[0] and worst < 0.01 and losses[-1] < 0.5 * losses[0]

        network.eval()
        answers = onnxruntime.InferenceSession(path + ".one.onnx", providers=["CPUExecutionProvider"]).run(None, {"x": images.numpy()})[0]
        wanted = network(images).detach().numpy()
        print("worst difference of answers:", np.max(np.abs(answers - wanted)), "of", np.ptp(wanted))
        assert np.max(np.abs(answers - wanted)) < 0.02 * np.ptp(wanted)

        checkpoint = path + ".checkpoint"
        train(path, batch, "2", path + ".x.onnx", checkpoint, "17", steps=17)
        rest = train(path, batch, "1", path + ".resumed.onnx", checkpoint, "999")
        assert rest == one[17:], "what is taken up again goes another way"
        assert open(path + ".resumed.onnx", "rb").read() == open(path + ".one.onnx", "rb").read()

        large = os.path.join(folder, "large.onnx")
        save(network, large, torch.randn(2, 3, 150, 134), targets[:2])
        one, three = (run(large, 2, threads, steps=8) for threads in "13")
        assert one.stdout == three.stdout, "depends on the number of threads on large images"
        apart = run(large, 2, "1", steps=8, FOVEA_PASSES="-fuse-norm")
        losses, wanted = (np.array(result.stdout.split(), float) for result in (one, apart))
        memory, memory_apart = (float(result.stderr.split()[-2]) for result in (one, apart))
        print("normalization in passing: worst difference", np.max(np.abs(losses - wanted)), "arena", memory, "MB instead of", memory_apart)
        assert np.max(np.abs(losses - wanted)) < 1e-4 * wanted[0] and memory < 0.9 * memory_apart
        for isa in "reference", "sse2", "avx2":
            losses = np.array(train(large, 2, "2", steps=3, FOVEA_ISA=isa), float)
            assert np.max(np.abs(losses - wanted[:3])) < 1e-4 * wanted[0], isa
    return 0


sys.exit(main())
