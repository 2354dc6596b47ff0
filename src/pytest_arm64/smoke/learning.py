"""Checks of packages for models, search and tokens."""

from __future__ import annotations

import io
from typing import Any

from .case import smoke


@smoke("scikit-learn", "sklearn.tree", "sklearn.svm", "sklearn.neighbors")
def scikit_learn(tree: Any, svm: Any, neighbors: Any) -> None:
    points, labels = [[0.0], [1], [2], [3]], [0, 0, 1, 1]
    for model in (tree.DecisionTreeClassifier(random_state=0), svm.SVC(kernel="linear")):
        assert model.fit(points, labels).predict([[0.5], [2.5]]).tolist() == [0, 1]
    assert neighbors.KDTree(points).query([[2.9]], k=1)[1].tolist() == [[3]]


@smoke("torch", "torch")
def torch(torch: Any) -> None:
    assert (torch.ones(2, 3) @ torch.ones(3, 2)).tolist() == [[3, 3], [3, 3]]
    x = torch.tensor([1.0, 2, 3], requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4, 6]


def _field(number: int, content: bytes | int) -> bytes:
    """One field of a message of protobuf: a text or message, or a number below 128."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


def _tensor(name: bytes) -> bytes:
    shape = _field(2, _field(1, _field(1, 2)))  # one dimension of 2
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + shape))  # of floats


ADDITION = (
    _field(1, 8)
    + _field(
        7,
        _field(1, _field(1, b"a") + _field(1, b"b") + _field(2, b"c") + _field(4, b"Add"))
        + _field(2, b"g")
        + _field(11, _tensor(b"a"))
        + _field(11, _tensor(b"b"))
        + _field(12, _tensor(b"c")),
    )
    + _field(8, _field(1, b"") + _field(2, 13))
)
"""A model of ONNX that adds two vectors of two floats."""


@smoke("onnxruntime onnxruntime-gpu", "onnxruntime", "numpy")
def onnxruntime(ort: Any, np: Any) -> None:
    session = ort.InferenceSession(ADDITION, providers=["CPUExecutionProvider"])
    values = {"a": np.array([1, 2], "f4"), "b": np.array([3, 4], "f4")}
    assert session.run(None, values)[0].tolist() == [4, 6]


@smoke("onnx", "onnx")
def onnx(onnx: Any) -> None:
    model = onnx.load_model_from_string(ADDITION)
    onnx.checker.check_model(model)
    assert onnx.shape_inference.infer_shapes(model).graph.output[0].name == "c"


@smoke("faiss-cpu", "faiss", "numpy")
def faiss(faiss: Any, np: Any) -> None:
    index = faiss.IndexFlatL2(8)
    vectors = np.arange(80, dtype="f4").reshape(10, 8)
    index.add(vectors)
    distances, labels = index.search(vectors[3:4] + 1, 2)
    assert (labels.tolist(), distances[0, 0]) == ([[3, 4]], 8)


@smoke("usearch", "usearch.index", "numpy")
def usearch(index: Any, np: Any) -> None:
    vectors = np.eye(16, dtype="f4")
    found = index.Index(ndim=16, metric="l2sq")
    found.add(np.arange(16), vectors)
    assert found.search(vectors[7], 1).keys.tolist() == [7]


@smoke("simsimd", "simsimd", "numpy")
def simsimd(simsimd: Any, np: Any) -> None:
    zeros, ones = np.zeros(100, "f4"), np.ones(100, "f4")
    assert abs(float(simsimd.sqeuclidean(zeros, ones)) - 100) < 1e-3


@smoke("lightgbm", "lightgbm", "numpy")
def lightgbm(lgb: Any, np: Any) -> None:
    x = np.arange(40.0)
    options = {"objective": "regression", "min_data_in_leaf": 1, "verbose": -1, "num_threads": 1}
    data = lgb.Dataset(x.reshape(-1, 1), (x > 19) * 1.0, params={"min_data_in_bin": 1})
    scores = lgb.train(options, data, 50).predict([[5.0], [35.0]])
    assert abs(scores - [0, 1]).max() < 0.05


@smoke("tokenizers", "tokenizers")
def tokenizers(tokenizers: Any) -> None:
    words = tokenizers.models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?")
    tokenizer = tokenizers.Tokenizer(words)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    assert tokenizer.encode("a b c").ids == [0, 1, 2]


@smoke("safetensors", "safetensors.numpy", "numpy")
def safetensors(tensors: Any, np: Any) -> None:
    saved = tensors.save({"t": np.arange(6, dtype="i4").reshape(2, 3)})
    assert tensors.load(saved)["t"].tolist() == [[0, 1, 2], [3, 4, 5]]


@smoke("sentencepiece", "sentencepiece")
def sentencepiece(pieces: Any) -> None:
    model = io.BytesIO()
    texts = ["the cat sat on the mat", "the dog sat on the log"] * 10
    options = {"vocab_size": 30, "hard_vocab_limit": False, "minloglevel": 2}
    pieces.SentencePieceTrainer.train(sentence_iterator=iter(texts), model_writer=model, **options)
    processor = pieces.SentencePieceProcessor(model_proto=model.getvalue())
    assert processor.decode(processor.encode("the cat sat")) == "the cat sat"


@smoke("tiktoken", "tiktoken")
def tiktoken(tiktoken: Any) -> None:
    ranks = {**{bytes([n]): n for n in range(256)}, b"ab": 256}
    encoding = tiktoken.Encoding("e", pat_str=".+", mergeable_ranks=ranks, special_tokens={})
    assert encoding.encode("abcab") == [256, 99, 256]
    assert encoding.decode([256, 99]) == "abc"
